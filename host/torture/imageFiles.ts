// SPDX-License-Identifier: Apache-2.0
// Which file a world's modules run: that of their image, or for a test another one in its place,
// whose journal keys are those of the image it stands for.

let standIns: ReadonlyMap<string, string> = new Map();

/** Makes a world in which modules of one image run another: by name of the image, the other's. */
export function withStandIns<World>(others: ReadonlyMap<string, string>, make: () => World): World {
  standIns = others;
  try {
    return make();
  } finally {
    standIns = new Map();
  }
}

/** Name of the built image that a module of this one runs. */
export function builtImage(image: string): string {
  return standIns.get(image) ?? image;
}
