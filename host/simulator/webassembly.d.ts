// SPDX-License-Identifier: Apache-2.0
// The part of the WebAssembly JavaScript interface that Florin uses (WebAssembly JavaScript
// Interface 1.0, section 5). Neither the ES2023 library nor the Node.js types declare it, and the
// browser library would bring in thousands of names the host must not use.

declare namespace WebAssembly {
  type ExportValue = Memory | Global | ((...values: (number | bigint)[]) => number | bigint);
  type ImportValue = Memory | Global | ((...values: never[]) => unknown);

  class Module {
    constructor(bytes: Uint8Array);
    static exports(module: Module): { name: string; kind: string }[];
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }

  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, ImportValue>>);
    readonly exports: Record<string, ExportValue>;
  }

  class Memory {
    constructor(limits: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
  }

  class Global {
    constructor(description: { value: string; mutable?: boolean }, value?: number | bigint);
    value: number | bigint;
  }

  class RuntimeError extends Error {}

  function validate(bytes: Uint8Array): boolean;
}
