#include "alknet/bindings/graph_host.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alknet/graph/analysis.h"
#include "alknet/graph/error.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/json.h"
#include "alknet/runtime/convert.h"

namespace alknet::bindings {
namespace {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

Value names_value(Realm realm, const std::vector<std::string>& names) {
  std::vector<Value> items;
  items.reserve(names.size());
  for (const std::string& name : names) items.push_back(realm.string(name));
  return realm.array(items);
}

template <typename Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const Item& item : items) names.push_back(item.name);
  return names;
}

Value problems_value(Realm realm, const std::vector<graph::Problem>& problems) {
  std::vector<Value> items;
  items.reserve(problems.size());
  for (const graph::Problem& problem : problems) {
    const Value item = realm.object();
    item.define("where", realm.string(problem.where));
    item.define("code", realm.string(problem.code));
    item.define("message", realm.string(problem.message));
    items.push_back(item);
  }
  return realm.array(items);
}

/// A graph that was found valid, and what follows from it.
class GraphView final : public runtime::NativeObject {
 public:
  explicit GraphView(graph::Graph given)
      : graph_(std::move(given)), analysis_(graph::analyze_valid(graph_, graph::OpTable::builtin())) {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) index_.emplace(graph_.nodes[i].id, i);
  }

  static GraphView& of(const Value& self) { return runtime::native_this<GraphView>(self, "GraphView"); }

  static Value inputs(Realm realm, const Value& self, Arguments) {
    return names_value(realm, names_of(of(self).graph_.inputs));
  }
  static Value states(Realm realm, const Value& self, Arguments) {
    return names_value(realm, names_of(of(self).graph_.states));
  }
  static Value outputs(Realm realm, const Value& self, Arguments) {
    return names_value(realm, names_of(of(self).graph_.outputs));
  }
  static Value nodes(Realm realm, const Value& self, Arguments) {
    std::vector<std::string> ids;
    for (const graph::Node& node : of(self).graph_.nodes) ids.push_back(node.id);
    return names_value(realm, ids);
  }
  static Value order(Realm realm, const Value& self, Arguments) {
    const GraphView& view = of(self);
    std::vector<std::string> ids;
    for (const std::size_t index : view.analysis_.typed.order) ids.push_back(view.graph_.nodes[index].id);
    return names_value(realm, ids);
  }

  static Value node(Realm realm, const Value& self, Arguments arguments) {
    const graph::Node* found = of(self).find(arguments[0].to_string());
    if (found == nullptr) return {};
    Value object = realm.object();
    object.define("id", realm.string(found->id));
    object.define("op", realm.string(found->op));
    const Value operands = realm.object();
    const auto& spec = graph::OpTable::builtin().at(found->op);
    for (std::size_t i = 0; i < found->inputs.size() && i < spec.inputs.size(); ++i) {
      std::vector<Value> refs;
      for (const graph::Ref& ref : found->inputs[i]) refs.push_back(ref_value(realm, ref));
      if (spec.inputs[i].variadic) {
        operands.set(spec.inputs[i].name, realm.array(refs));
      } else if (!refs.empty() && !refs.front().is_undefined()) {
        operands.set(spec.inputs[i].name, refs.front());
      }
    }
    object.define("inputs", operands);
    object.define("attrs", runtime::from_json(realm, found->attrs));
    object.define("path", realm.string(found->path));
    return object;
  }

  static Value type(Realm realm, const Value& self, Arguments arguments) {
    const auto& types = of(self).analysis_.typed.types;
    const auto found = types.find(arguments[0].to_string());
    return found == types.end() ? Value() : type_value(realm, found->second);
  }

  static Value producers(Realm realm, const Value& self, Arguments arguments) {
    const GraphView& view = of(self);
    const graph::Node* const reader = view.find(arguments[0].to_string());
    return names_value(realm, reader == nullptr ? std::vector<std::string>() : view.read_by(*reader));
  }

  static Value consumers(Realm realm, const Value& self, Arguments arguments) {
    const GraphView& view = of(self);
    const std::string id = arguments[0].to_string();
    std::vector<std::string> ids;
    for (const graph::Node& other : view.graph_.nodes) {
      const auto read = view.read_by(other);
      if (std::find(read.begin(), read.end(), id) != read.end()) ids.push_back(other.id);
    }
    return names_value(realm, ids);
  }

  static Value to_json(Realm realm, const Value& self, Arguments) {
    return runtime::from_message(realm, graph::to_message(of(self).graph_));
  }

 private:
  static Value ref_value(Realm realm, const graph::Ref& ref) {
    if (!ref.scalar) return ref.absent() ? Value() : realm.string(ref.text());
    return ref.scalar->kind == graph::DtypeClass::kBool ? realm.boolean(ref.scalar->integer != 0)
                                                        : realm.number(ref.scalar->number);
  }

  const graph::Node* find(const std::string& id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? nullptr : &graph_.nodes[found->second];
  }

  /// Ids of the nodes whose results a node reads, each once.
  std::vector<std::string> read_by(const graph::Node& reader) const {
    std::vector<std::string> ids;
    for (const auto& refs : reader.inputs) {
      for (const graph::Ref& ref : refs) {
        const bool node = !ref.name.empty() && index_.contains(ref.name);
        if (node && std::find(ids.begin(), ids.end(), ref.name) == ids.end()) ids.push_back(ref.name);
      }
    }
    return ids;
  }

  graph::Graph graph_;
  graph::Analysis analysis_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

constexpr runtime::MethodSpec kMethods[] = {{"node", 1, GraphView::node},
                                            {"type", 1, GraphView::type},
                                            {"producers", 1, GraphView::producers},
                                            {"consumers", 1, GraphView::consumers},
                                            {"toJSON", 0, GraphView::to_json}};
constexpr runtime::AttributeSpec kAttributes[] = {{"inputs", GraphView::inputs},
                                                  {"states", GraphView::states},
                                                  {"outputs", GraphView::outputs},
                                                  {"nodes", GraphView::nodes},
                                                  {"order", GraphView::order}};

Value construct(Realm, const Value& self, Arguments arguments) {
  graph::Graph given = graph::from_message(runtime::to_message(arguments[0]));
  return runtime::make_object(self, std::make_unique<GraphView>(std::move(given)));
}

}  // namespace

Value type_value(Realm realm, const graph::ValueType& type) {
  std::vector<Value> sizes;
  sizes.reserve(type.shape.size());
  for (const graph::Dim& dim : type.shape) {
    const auto size = dim.constant();
    sizes.push_back(size ? realm.number(static_cast<double>(*size)) : realm.string(dim.text()));
  }
  Value object = realm.object();
  object.define("dtype", realm.string(graph::dtype_name(type.dtype)));
  object.define("shape", realm.array(sizes));
  return object;
}

Value validate_graph(Realm realm, const Value&, Arguments arguments) {
  const Message document = runtime::to_message(arguments[0]);
  try {
    return problems_value(realm, graph::validate(graph::from_message(document), graph::OpTable::builtin()));
  } catch (const runtime::ScriptError&) {
    throw;
  } catch (const Error& error) {
    const auto* facts = error.details().if_object();
    const Json* pointer = facts == nullptr ? nullptr : facts->if_contains("pointer");
    const bool placed = pointer != nullptr && pointer->is_string();
    return problems_value(
        realm, {{placed ? std::string(pointer->get_string()) : std::string(), error.code_name(), error.message()}});
  }
}

Value define_graph_view(Realm realm) {
  runtime::ClassSpec spec;
  spec.name = "GraphView";
  spec.construct = construct;
  spec.length = 1;
  spec.methods = kMethods;
  spec.attributes = kAttributes;
  return runtime::define_class(realm, spec);
}

}  // namespace alknet::bindings
