#pragma once

#include "alknet/graph/shape.h"
#include "alknet/runtime/native.h"

// Graphs of graph/json.h for script: checked by C++, seen read-only.

namespace alknet::bindings {

/// {dtype, shape}; a size that is no number is the text of its expression.
runtime::Value type_value(runtime::Realm realm, const graph::ValueType& type);

/// `validate(document)`: every problem of a graph document as [{where, code, message}], [] for a valid one. A document
/// of the wrong form is one problem. Throws TypeError for what is no JSON.
runtime::Value validate_graph(runtime::Realm realm, const runtime::Value& self, runtime::Arguments arguments);

/// The class GraphView. `new GraphView(document)` throws an Error `graph_invalid` whose details list all problems.
///
///   inputs, states, nodes, outputs   names, in the document's order
///   order                            ids of the nodes, producers before consumers
///   node(id)                         {id, op, inputs: {name: reference, ...}, attrs, path}
///   type(reference)                  {dtype, shape} of "name", "id" or "id:k"; undefined when there is none
///   producers(id), consumers(id)     ids of the nodes that it reads, and that read it
///   toJSON()                         the document in normal form; constants' data as ArrayBuffers
runtime::Value define_graph_view(runtime::Realm realm);

}  // namespace alknet::bindings
