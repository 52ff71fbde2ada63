#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace alknet::app {

/// The peers that the words of `--peer` name, NAME of the peers file or NAME=ADDRESS, and where each is; empty: where
/// the peers file says. Throws UsageError for one that could never be reached, and one that is named twice.
std::map<std::string, std::string> peer_targets(const std::vector<std::string>& words,
                                                const std::filesystem::path& peers_file);

}  // namespace alknet::app
