#pragma once

#include "alknet/runtime/native.h"

namespace alknet::bindings {

/// The module `alknet:graph`: what is known of tensor operations and graphs without computing, for sandboxes too.
///
///   infer(operation, input)  dtypes and shapes of the results of one operation of the op table, as [{dtype, shape}];
///                            `input` is that of `tensor/<operation>`, in which tensors are {dtype, shape}. Throws
///                            OperationError-like errors: `code` SHAPE_MISMATCH, BAD_ATTRIBUTE, ... and `details`
///   validate(document)       all problems of a graph document, as [{where, code, message}]; see graph_host.h
///   GraphView                `new GraphView(document)`: a valid document, seen read-only
runtime::NativeModule graph_module();

}  // namespace alknet::bindings
