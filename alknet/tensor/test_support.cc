#include "alknet/tensor/test_support.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "alknet/base/bytes.h"

namespace alknet::tensor {

std::string file_bytes(std::string_view header, std::string_view data) {
  std::string bytes(8, '\0');
  store_le<std::uint64_t>(reinterpret_cast<std::byte*>(bytes.data()), header.size());
  bytes += header;
  bytes += data;
  return bytes;
}

File open_bytes(std::string_view header, std::string_view data) {
  return File::from_bytes(SharedBytes::copy(file_bytes(header, data)));
}

void save(const std::string& path, std::string_view content) { std::ofstream(path, std::ios::binary) << content; }

std::string load_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

int in_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 99;
    try {
      status = work();
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

long peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

std::optional<int> run_python(const std::string& arguments) {
  const std::string python = ALKNET_SOURCE_DIR "/.deps/python/bin/python3";
  if (access(python.c_str(), X_OK) != 0) {
    std::cout << "skipped: " << python << " is missing; bin/setup installs it\n";
    return std::nullopt;
  }
  const int status = std::system((python + " -B " + arguments).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace alknet::tensor
