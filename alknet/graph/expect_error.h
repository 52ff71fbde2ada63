#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "alknet/graph/error.h"

namespace alknet::graph {

/// For tests: runs `call`, which must throw Error `code` with a message that contains `text`.
template <typename Call>
void expect_error(GraphError code, const std::string& text, Call call) {
  try {
    call();
    ADD_FAILURE() << "no error; expected \"" << text << "\"";
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), make_error_code(code).message()) << error.message();
    EXPECT_THAT(error.message(), testing::HasSubstr(text));
  }
}

}  // namespace alknet::graph
