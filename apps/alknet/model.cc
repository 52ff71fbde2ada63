#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/base/progress.h"
#include "apps/alknet/models.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

Json describe(const CatalogModel& model) {
  const auto installed = installed_model(model.name);
  JsonObject object{{"name", model.name},     {"path", nullptr},
                    {"bytes", nullptr},       {"source", fmt::format("{} {}", model.package, model.version)},
                    {"sha256", model.sha256}, {"installed", installed.has_value()},
                    {"about", model.about}};
  if (installed) {
    object["path"] = installed->path.string();
    object["bytes"] = installed->bytes;
  }
  return object;
}

void list(const Globals& globals) {
  if (globals.json) {
    JsonArray array;
    for (const CatalogModel& model : model_catalog()) array.push_back(describe(model));
    return print_json(array);
  }
  Table table({{"NAME"}, {"INSTALLED", Table::Align::kRight}, {"ABOUT"}});
  for (const CatalogModel& model : model_catalog()) {
    const auto installed = installed_model(model.name);
    table.add({model.name, installed ? bytes_text(installed->bytes) : "no", model.about});
  }
  print(table.text(use_color(globals)));
}

}  // namespace

void add_model(CLI::App& program, Globals& globals) {
  CLI::App* group = program.add_subcommand("model", "Fetch and manage models");
  group->require_subcommand(1);
  set_examples(*group, "  alknet model pull all-MiniLM-L6-v2\n  alknet model list --json\n");
  const auto name = std::make_shared<std::string>(kDefaultModel);
  const auto add = [&](const char* verb, const char* about, const char* examples) {
    CLI::App* command = group->add_subcommand(verb, about);
    set_examples(*command, examples);
    return command;
  };
  const auto add_name = [&](CLI::App* command) {
    command->add_option("NAME", *name, "Name in `alknet model list`")->default_str(std::string(kDefaultModel));
  };

  CLI::App* pull = add("pull", "Fetch a model into the cache folder and check its hash",
                       "  alknet model pull\n  XDG_CACHE_HOME=/data alknet model pull all-MiniLM-L6-v2\n");
  add_name(pull);
  add_json_flag(*pull, globals);
  pull->callback([&globals, name] {
    const CatalogModel model = catalog_model(*name);
    const auto path = pull_model(model, globals);
    globals.json ? print_json(describe(model)) : print(path.string() + "\n");
  });

  CLI::App* list_command = add("list", "List the models that can be pulled and where they are",
                               "  alknet model list\n  alknet model list --json\n");
  add_json_flag(*list_command, globals);
  list_command->callback([&globals] { list(globals); });

  CLI::App* path = add("path", "Print the folder of an installed model",
                       "  alknet model path\n  alknet tensor info \"$(alknet model path)/model.safetensors\"\n");
  add_name(path);
  path->callback([name] {
    const auto installed = installed_model(catalog_model(*name).name);
    if (!installed) {
      throw Error(BaseError::kNotFound,
                  fmt::format("the model {} is not installed: alknet model pull {}", *name, *name));
    }
    print(installed->path.string() + "\n");
  });

  CLI::App* verify = add("verify", "Check an installed model against the hashes noted when it was pulled",
                         "  alknet model verify\n  alknet model verify all-MiniLM-L6-v2\n");
  add_name(verify);
  verify->callback([&globals, name] {
    verify_model(catalog_model(*name).name, globals);
    print("ok\n");
  });

  CLI::App* rm = add("rm", "Remove an installed model",
                     "  alknet model rm all-MiniLM-L6-v2\n  alknet model rm all-MiniLM-L6-v2 && alknet model pull\n");
  rm->add_option("NAME", *name, "Name in `alknet model list`")->required();
  rm->callback([name] { remove_model(catalog_model(*name).name); });
}

}  // namespace alknet::app
