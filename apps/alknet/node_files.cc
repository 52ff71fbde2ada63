#include "apps/alknet/node_files.h"

#include "alknet/base/files.h"

namespace alknet::app {

namespace fs = std::filesystem;

fs::path default_key_file() { return config_folder() / "node_key.pem"; }

fs::path default_peers_file() { return config_folder() / "peers.json"; }

void make_folder_of(const fs::path& file) {
  if (file.has_parent_path()) make_folders(file.parent_path());
}

net::PrivateKey load_or_make_key(const fs::path& path) {
  if (fs::exists(path)) return net::PrivateKey::load(path);
  make_folder_of(path);
  const net::PrivateKey key = net::PrivateKey::generate();
  key.save(path);
  return key;
}

}  // namespace alknet::app
