// SPDX-License-Identifier: Apache-2.0
// Builds Florin: the firmware images with asc, all in one process on as many threads as there are
// processors, then the host with tsc. What is unchanged since the last build is not built again.
//
//   node scripts/build.mjs [--traced] [--test-images] [--firmware-only] [--sums] [--quiet]
//
// --traced also builds the traced images (every numbered step becomes a board call), --test-images
// those that only tests and the bench use. --sums writes the release images' hashes to SHA256SUMS:
// who changes the firmware announces by it that the images are others.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { BROKEN_IMAGES, RELEASE_IMAGES, TEST_IMAGES } from "./images.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
if (isMainThread) process.chdir(root);

if (!isMainThread) {
  const { default: asc } = await import("assemblyscript/asc");
  parentPort.on("message", async ({ image, target, outFile, of = image, transform = null }) => {
    const { error, stderr } = await asc.main([
      `assembly/images/${of}.ts`,
      "--config",
      "asconfig.json",
      // Named here: in asconfig.json, asc would look for it among the packages.
      "--transform",
      "./scripts/withoutStrings.mjs",
      "--transform",
      "./scripts/compactCode.mjs",
      ...(transform === null ? [] : ["--transform", transform]),
      "--target",
      target,
      "--outFile",
      outFile,
      "--textFile",
      outFile.replace(/\.wasm$/, ".wat"),
    ]);
    parentPort.postMessage({ image, target, error: error ? `${stderr}\n${error.message}` : "" });
  });
} else {
  await main(process.argv.slice(2));
}

/** Lists the files below `folder`, sorted, so that their digest is repeatable. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`)
    .sort();
}

/** Digest of the given files' names and bytes. */
function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

async function main(options) {
  const say = options.includes("--quiet") ? () => {} : (line) => process.stderr.write(`${line}\n`);
  const jobs = [];
  const tested = options.includes("--test-images") ? TEST_IMAGES : [];
  for (const image of [...RELEASE_IMAGES, ...tested]) {
    jobs.push({ image, target: "release", outFile: `build/firmware/${image}.wasm` });
  }
  const broken = options.includes("--test-images") ? BROKEN_IMAGES : [];
  for (const job of broken) {
    jobs.push({ ...job, target: "release", outFile: `build/firmware/${job.image}.wasm` });
  }
  if (options.includes("--traced")) {
    for (const image of RELEASE_IMAGES) {
      jobs.push({ image, target: "traced", outFile: `build/firmware/traced/${image}.wasm` });
    }
  }
  await buildFirmware(jobs, say);
  if (options.includes("--sums")) writeSums(say);
  if (!options.includes("--firmware-only")) buildHost(say);
}

async function buildFirmware(jobs, say) {
  const digest = digestOf([
    ...filesBelow("assembly"),
    "scripts/withoutStrings.mjs",
    "scripts/compactCode.mjs",
    ...BROKEN_IMAGES.map(({ transform }) => transform),
    "asconfig.json",
    "package.json",
  ]);
  mkdirSync("build/firmware/traced", { recursive: true });
  const stampOf = (job) => `${job.outFile}.stamp`;
  const isFresh = (job) =>
    existsSync(job.outFile) &&
    existsSync(stampOf(job)) &&
    readFileSync(stampOf(job), "utf8") === digest;
  const queue = jobs.filter((job) => !isFresh(job));
  const total = queue.length;
  let done = 0;
  const failures = [];
  const work = async () => {
    if (queue.length === 0) return;
    const worker = new Worker(new URL(import.meta.url));
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const answer = await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.postMessage(job);
      });
      worker.removeAllListeners("error");
      done += 1;
      if (answer.error) failures.push(`${job.image} (${job.target}): ${answer.error}`);
      else writeFileSync(stampOf(job), digest);
      const size = answer.error ? "failed" : `${readFileSync(job.outFile).length} bytes`;
      say(`firmware ${done}/${total}  ${job.image} (${job.target})  ${size}`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work));
  if (failures.length > 0) {
    process.stderr.write(`${failures.join("\n")}\n`);
    process.exit(1);
  }
}

/** Writes the hashes as sha256sum does, which then checks them: `sha256sum -c SHA256SUMS`. */
function writeSums(say) {
  const lines = RELEASE_IMAGES.map((image) => {
    const file = `build/firmware/${image}.wasm`;
    return `${createHash("sha256").update(readFileSync(file)).digest("hex")}  ${file}\n`;
  });
  writeFileSync("SHA256SUMS", lines.join(""));
  say("hashes   SHA256SUMS");
}

function buildHost(say) {
  const sources = [...filesBelow("host"), ...filesBelow("test"), "tsconfig.json", "package.json"];
  const digest = digestOf(sources);
  const stamp = "dist/.stamp";
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  say("host     tsc");
  const tsc = "node_modules/typescript/bin/tsc";
  const result = spawnSync(process.execPath, [tsc, "-p", "tsconfig.json"], { stdio: "inherit" });
  if (result.status !== 0) process.exit(1);
  writeFileSync(stamp, digest);
}
