#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "alknet/base/json.h"
#include "alknet/compute/error.h"
#include "alknet/compute/kernels/kernel_problems.h"
#include "alknet/compute/kernels/source_kernel.h"
#include "alknet/compute/kernels/source_scan.h"
#include "alknet/compute/lone_symbol.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using Names = std::set<std::string, std::less<>>;

constexpr std::size_t kMaxSource = std::size_t{4} << 20;  ///< Bytes.

bool is_identifier(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  return !name.empty() && name.size() <= 64 && kLetters.find(name.front()) != std::string_view::npos &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return kLetters.find(c) != std::string_view::npos || (c >= '0' && c <= '9'); });
}

class Check {
 public:
  explicit Check(const SourceKernel& kernel) : kernel_(kernel), problems_(kernel.name) {}

  void run() {
    if (kernel_.name.empty()) problems_.add("/name", "a kernel needs a name");
    if (kernel_.source.empty()) problems_.add("/source", "is empty");
    if (kernel_.source.size() > kMaxSource)
      problems_.add("/source", fmt::format("is longer than {} bytes", kMaxSource));
    if (kernel_.outputs.empty()) problems_.add("/outputs", "a kernel without outputs does nothing");
    if (kernel_.language == gpu::ShaderLanguage::kGlsl && kernel_.entry != "main") {
      problems_.add("/entry", "the entry point of GLSL is \"main\"");
    }
    collect_names();
    check_expressions();
    check_workgroups();
    problems_.throw_if_any();
  }

 private:
  void take_name(const std::string& name, const std::string& path) {
    if (!is_identifier(name)) problems_.add(path, fmt::format("\"{}\" is no identifier", name));
    if (!taken_.insert(name).second) problems_.add(path, fmt::format("the name \"{}\" is taken", name));
  }

  void check_dtype(graph::Dtype dtype, const std::string& path) {
    if (dtype == graph::Dtype::kF64) problems_.add(path, "shaders have no f64: use f32");
  }

  void collect_names() {
    for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
      const auto& input = kernel_.inputs[i];
      const std::string path = fmt::format("/inputs/{}", i);
      take_name(input.name, path + "/name");
      check_dtype(input.dtype, path + "/dtype");
      known_.insert(input.name + "_count");
      if (!input.shape) continue;
      for (const Dim& dim : *input.shape) {
        if (const auto name = lone_symbol(dim)) known_.insert(*name);
      }
    }
    for (std::size_t i = 0; i < kernel_.parameters.size(); ++i) {
      const auto& parameter = kernel_.parameters[i];
      const std::string path = fmt::format("/parameters/{}", i);
      take_name(parameter.name, path + "/name");
      const bool number = parameter.type == WordType::kF32;
      if (!number && parameter.type != WordType::kU32 && parameter.type != WordType::kI32) {
        problems_.add(path + "/dtype", "parameters are f32, i32 or u32");
      }
      if (parameter.value && parameter.default_value) problems_.add(path, "has a value and a default: drop one");
      if (number || parameter.value) continue;
      if (!known_.insert(parameter.name).second) {
        problems_.add(path + "/name", fmt::format("\"{}\" is a dimension of an input as well", parameter.name));
      }
    }
    for (std::size_t i = 0; i < kernel_.outputs.size(); ++i) {
      const std::string path = fmt::format("/outputs/{}", i);
      take_name(kernel_.outputs[i].name, path + "/name");
      check_dtype(kernel_.outputs[i].dtype, path + "/dtype");
    }
  }

  void check_names(const Dim& dim, const std::string& path) {
    for (const std::string& name : dim.names()) {
      if (known_.contains(name)) continue;
      problems_.add(path, fmt::format("\"{}\" is neither a dimension of an input nor an integer parameter", name));
    }
  }

  void check_names(const graph::SymbolicShape& shape, const std::string& path) {
    for (std::size_t d = 0; d < shape.size(); ++d) check_names(shape[d], fmt::format("{}/{}", path, d));
  }

  void check_expressions() {
    for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
      if (kernel_.inputs[i].shape) check_names(*kernel_.inputs[i].shape, fmt::format("/inputs/{}/shape", i));
    }
    for (std::size_t i = 0; i < kernel_.parameters.size(); ++i) {
      if (kernel_.parameters[i].value)
        check_names(*kernel_.parameters[i].value, fmt::format("/parameters/{}/value", i));
    }
    for (std::size_t i = 0; i < kernel_.outputs.size(); ++i) {
      const auto& output = kernel_.outputs[i];
      const std::string path = fmt::format("/outputs/{}/shape", i);
      check_names(output.shape, path);
      if (output.same_as.empty()) continue;
      const bool found = std::any_of(kernel_.inputs.begin(), kernel_.inputs.end(),
                                     [&](const auto& input) { return input.name == output.same_as; });
      if (!found) problems_.add(path, fmt::format("there is no input \"{}\"", output.same_as));
    }
  }

  void check_workgroups() {
    for (std::size_t d = 0; d < kernel_.workgroups.size(); ++d) {
      check_names(kernel_.workgroups[d], kernel_.folds ? "/workgroups" : fmt::format("/workgroups/{}", d));
    }
    if (kernel_.workgroups.size() > 3 || (kernel_.folds && kernel_.workgroups.size() != 1)) {
      problems_.add("/workgroups", "is one total, or up to three counts");
    }
    const SourceScan scan = scan_source(kernel_.language, kernel_.source, kernel_.entry);
    const auto text = [](const std::array<std::uint32_t, 3>& s) {
      return fmt::format("{} x {} x {}", s[0], s[1], s[2]);
    };
    if (scan.workgroup_size && kernel_.workgroup_size && *scan.workgroup_size != *kernel_.workgroup_size) {
      problems_.add("/workgroup_size", fmt::format("is {}, the source says {}", text(*kernel_.workgroup_size),
                                                   text(*scan.workgroup_size)));
    }
  }

  const SourceKernel& kernel_;
  KernelProblems problems_;
  Names taken_, known_;
};

}  // namespace

void KernelProblems::throw_if_any() const {
  if (problems_.empty()) return;
  JsonArray list;
  std::string text;
  for (const auto& [path, message] : problems_) {
    list.push_back({{"path", path}, {"message", message}});
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", path.empty() ? "/" : path, message);
  }
  throw Error(ComputeError::kKernelInvalid,
              fmt::format("The specification of kernel \"{}\" has {} problem{}: {}", kernel_, problems_.size(),
                          problems_.size() == 1 ? "" : "s", text),
              JsonObject{{"kernel", kernel_}, {"problems", std::move(list)}});
}

void check_source_kernel(const SourceKernel& kernel) { Check(kernel).run(); }

}  // namespace alknet::compute
