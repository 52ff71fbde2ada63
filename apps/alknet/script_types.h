#pragma once

#include <string_view>

namespace alknet::app {

/// What TypeScript is told of the globals that scripts have here beyond the web's and ECMAScript's.
inline constexpr std::string_view kScriptTypes = R"(
interface ImportMeta {
  readonly url: string;
  readonly filename: string;
  readonly dirname: string;
  /** True in the file that was started. */
  readonly main: boolean;
}
interface AlknetFileInfo {
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}
interface AlknetFileEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}
declare const fs: {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  readFile(path: string, encoding: "utf8" | { readonly encoding: "utf8" }): Promise<string>;
  writeFile(path: string, data: string | ArrayBufferView | ArrayBuffer): Promise<void>;
  appendFile(path: string, data: string | ArrayBufferView | ArrayBuffer): Promise<void>;
  readdir(path: string, options?: { readonly withFileTypes?: false }): Promise<string[]>;
  readdir(path: string, options: { readonly withFileTypes: true }): Promise<AlknetFileEntry[]>;
  stat(path: string): Promise<AlknetFileInfo>;
  lstat(path: string): Promise<AlknetFileInfo>;
  mkdir(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  rm(path: string, options?: { readonly recursive?: boolean; readonly force?: boolean }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  copyFile(from: string, to: string): Promise<void>;
  realpath(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
};
declare const describe: typeof import("@alknet/test").describe;
declare const test: typeof import("@alknet/test").test;
declare const it: typeof import("@alknet/test").it;
declare const expect: typeof import("@alknet/test").expect;
declare const fn: typeof import("@alknet/test").fn;
declare const beforeAll: typeof import("@alknet/test").beforeAll;
declare const beforeEach: typeof import("@alknet/test").beforeEach;
declare const afterAll: typeof import("@alknet/test").afterAll;
declare const afterEach: typeof import("@alknet/test").afterEach;
// WebGPU's own types are a package (@webgpu/types).
interface Navigator {
  readonly gpu: any;
}
declare const GPUBufferUsage: any, GPUMapMode: any, GPUTextureUsage: any, GPUShaderStage: any, GPUColorWrite: any;
)";

}  // namespace alknet::app
