#pragma once

#include <filesystem>

#include "alknet/net/credentials.h"

namespace alknet::app {

/// Where a node keeps who it is and whom it knows: $XDG_CONFIG_HOME/alknet or ~/.config/alknet.
std::filesystem::path default_key_file();
std::filesystem::path default_peers_file();

/// The private key in `path`; a new one is made there, readable by its owner only, when there is none. Throws
/// `configuration` and `io_error`.
net::PrivateKey load_or_make_key(const std::filesystem::path& path);

/// Creates the folder that a file is to lie in, where missing. Throws `io_error`.
void make_folder_of(const std::filesystem::path& file);

}  // namespace alknet::app
