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

}  // namespace alknet::app
