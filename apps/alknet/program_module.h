#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/runtime/native.h"

namespace alknet::app {

/// What a script's program is to the script.
struct ScriptProgram {
  std::vector<std::string> arguments;
  std::string main;                                              ///< the file that was started, or empty
  std::function<void(int status)> exit;                          ///< ends the script; called once
  std::function<std::string(const std::string& name)> dataset;   ///< the file of a data set, pulled when it is missing
  std::function<std::string(const std::string& path)> writable;  ///< the path to write, or Error `permission_denied`
  bool output_to_error = false;                                  ///< `write` writes to standard error
  bool error_line_open = false;                                  ///< what it wrote there last is no whole line
  int exit_status = 0;                                           ///< what the script asked for, should it end by itself
};

/// Writes text of the script to standard error.
void write_error(ScriptProgram& program, std::string_view text);

/// Ends the line on which the script left standard error, such as a progress bar, where a person reads it: before
/// something else is said there.
void end_error_line(ScriptProgram& program);

/// The native module "alknet:program": what a program may know and do as one. `program` must outlive the isolate.
///
///   args: string[]            what stood behind the file on the command line
///   main: string              the file that was started
///   exit(status = 0): never   ends the script at once
///   setExitStatus(status)     for when it ends by itself
///   write(text), writeError(text)   text without a line end to standard output or standard error
///   readInput(): string       all of standard input
///   isTerminal: {input, output, error}   booleans
///   columns(): number         of the terminal, by standard output or else standard error
///   dataset(name): string     the file of a data set of `alknet data`, pulled when it is missing
///   writeChart(path, {title, xLabel, yLabel, series: [{name, y}]})   a line chart as .png or .svg
runtime::NativeModule program_module(ScriptProgram& program);

}  // namespace alknet::app
