#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <functional>
#include <memory>

#include "alknet/base/progress.h"
#include "apps/alknet/datasets.h"
#include "apps/alknet/models.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

Json describe(const Catalog& catalog, const CatalogEntry& entry) {
  const auto installed = catalog.installed(entry.name);
  JsonObject object{{"name", entry.name},     {"path", nullptr},
                    {"bytes", nullptr},       {"source", fmt::format("{} {}", entry.package, entry.version)},
                    {"sha256", entry.sha256}, {"installed", installed.has_value()},
                    {"about", entry.about}};
  if (installed) {
    object["path"] = installed->path.string();
    object["bytes"] = installed->bytes;
  }
  return object;
}

void list(const Catalog& catalog, const Globals& globals) {
  if (globals.json) {
    JsonArray array;
    for (const CatalogEntry& entry : catalog.entries()) array.push_back(describe(catalog, entry));
    return print_json(array);
  }
  Table table({{"NAME"}, {"INSTALLED", Table::Align::kRight}, {"ABOUT"}});
  for (const CatalogEntry& entry : catalog.entries()) {
    const auto installed = catalog.installed(entry.name);
    table.add({entry.name, installed ? bytes_text(installed->bytes) : "no", entry.about});
  }
  print(table.text(use_color(globals)));
}

/// What the group of a catalog says of itself.
struct CatalogGroup {
  std::string kind;   ///< The group: "model".
  std::string noun;   ///< "model", "data set"
  std::string about;  ///< Of the group.
  std::string example;
  std::string file;  ///< In the example's folder.
  std::function<Catalog()> catalog;
};

CatalogEntry named_entry(const CatalogGroup& group, const std::string& name) {
  const Catalog catalog = group.catalog();
  if (auto entry = catalog.find(name)) return *entry;
  throw UsageError(fmt::format("there is no {} \"{}\"; the catalog has {}", group.noun, name, catalog.names()));
}

void add_catalog(CLI::App& program, Globals& globals, const CatalogGroup& texts) {
  const std::string call = "  alknet " + texts.kind;
  CLI::App* group = program.add_subcommand(texts.kind, texts.about);
  group->require_subcommand(1);
  set_examples(*group, fmt::format("{0} pull {1}\n{0} list --json\n", call, texts.example));
  const auto name = std::make_shared<std::string>(texts.example);
  const auto add = [&](const char* verb, const std::string& about, const std::string& examples) {
    CLI::App* command = group->add_subcommand(verb, about);
    set_examples(*command, examples);
    return command;
  };
  const auto add_name = [&](CLI::App* command) {
    return command->add_option("NAME", *name, fmt::format("Name in `alknet {} list`", texts.kind));
  };

  CLI::App* pull =
      add("pull", fmt::format("Fetch a {} into the cache folder and check its hash", texts.noun),
          fmt::format("{0} pull\n  XDG_CACHE_HOME=/data alknet {1} pull {2}\n", call, texts.kind, texts.example));
  add_name(pull)->default_str(texts.example);
  add_json_flag(*pull, globals);
  pull->callback([&globals, name, texts] {
    const CatalogEntry entry = named_entry(texts, *name);
    const auto path = texts.catalog().pull(entry, globals);
    globals.json ? print_json(describe(texts.catalog(), entry)) : print(path.string() + "\n");
  });

  CLI::App* list_command = add("list", fmt::format("List the {}s that can be pulled and where they are", texts.noun),
                               fmt::format("{0} list\n{0} list --json\n", call));
  add_json_flag(*list_command, globals);
  list_command->callback([&globals, texts] { list(texts.catalog(), globals); });

  CLI::App* path =
      add("path", fmt::format("Print the folder of an installed {}", texts.noun),
          fmt::format("{0} path\n  alknet tensor info \"$(alknet {1} path)/{2}\"\n", call, texts.kind, texts.file));
  add_name(path)->default_str(texts.example);
  path->callback([name, texts] {
    const auto installed = texts.catalog().installed(named_entry(texts, *name).name);
    if (!installed) {
      throw Error(BaseError::kNotFound,
                  fmt::format("the {} {} is not installed: alknet {} pull {}", texts.noun, *name, texts.kind, *name));
    }
    print(installed->path.string() + "\n");
  });

  CLI::App* verify =
      add("verify", fmt::format("Check an installed {} against the hashes noted when it was pulled", texts.noun),
          fmt::format("{0} verify\n{0} verify {1}\n", call, texts.example));
  add_name(verify)->default_str(texts.example);
  verify->callback([&globals, name, texts] {
    texts.catalog().verify(named_entry(texts, *name).name, globals);
    print("ok\n");
  });

  CLI::App* rm = add("rm", fmt::format("Remove an installed {}", texts.noun),
                     fmt::format("{0} rm {1}\n{0} rm {1} && alknet {2} pull\n", call, texts.example, texts.kind));
  add_name(rm)->required();
  rm->callback([name, texts] { texts.catalog().remove(named_entry(texts, *name).name); });
}

}  // namespace

void add_model(CLI::App& program, Globals& globals) {
  add_catalog(
      program, globals,
      {"model", "model", "Fetch and manage models", std::string(kDefaultModel), "model.safetensors", model_catalog});
}

void add_data(CLI::App& program, Globals& globals) {
  add_catalog(program, globals,
              {"data", "data set", "Fetch and manage data sets", "digits", "digits.mt", dataset_catalog});
}

}  // namespace alknet::app
