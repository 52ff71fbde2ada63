#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/base/testing.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/test_folder.h"

namespace alknet::tensor {

/// Where the corpus of small files is, well-formed and hostile, that tests/metatensor_corpus.py makes.
inline const std::string kSeeds = ALKNET_SOURCE_DIR "/fuzz/seeds/header/";

/// The bytes of a file: length, `header`, `data`.
std::string file_bytes(std::string_view header, std::string_view data = {});

/// Opens such bytes.
File open_bytes(std::string_view header, std::string_view data = {});

void save(const std::string& path, std::string_view content);
std::string load_file(const std::string& path);

template <typename T>
std::span<const std::byte> bytes_of(const T& container) {
  return std::as_bytes(std::span(container));
}

/// Runs `work`, which returns an exit status, in a child process; its wait status. 99: it threw.
int in_child(const std::function<int()>& work);

/// The most memory that was resident at once in this process so far.
long peak_memory_kib();

/// Runs the checkout's Python with `arguments`; the exit status, or nothing (with a printed reason) when that Python,
/// with the packages that the tests need, is not installed.
std::optional<int> run_python(const std::string& arguments);

}  // namespace alknet::tensor
