#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/schema/header_schema.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/file.h"
#include "apps/alknet/output.h"

namespace alknet::app {

void add_tensor_schema(CLI::App& group, Globals& globals) {
  CLI::App* command = group.add_subcommand("schema", "Print the schema of a file, its own or the one it implies");
  const auto path = std::make_shared<std::string>();
  const auto header = std::make_shared<bool>(false);
  command->add_option("FILE", *path, "Metatensor or safetensors file")->required();
  command->add_flag("--header", *header, "Print the JSON Schema of the file's header, in standard keywords, instead");
  add_json_flag(*command, globals);
  set_examples(*command,
               "  alknet tensor schema data.mt > data.schema.json\n"
               "  alknet tensor schema --header model.safetensors\n");
  command->callback([path, header] {
    const tensor::File file = tensor::File::open(*path);
    print_json(*header ? schema::to_header_schema(file.schema()) : file.schema().document());
  });
}

}  // namespace alknet::app
