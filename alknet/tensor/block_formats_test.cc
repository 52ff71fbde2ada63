#include "alknet/tensor/block_formats.h"

#include <gtest/gtest.h>

#include "alknet/schema/layout.h"
#include "alknet/schema/schema.h"

namespace alknet::tensor {
namespace {

TEST(BlockFormats, HaveTheStrideOfTheirBlocksWithoutPadding) {
  for (const BlockFormat& format : block_formats()) {
    const auto schema = schema::Schema::from_json(block_schema(format));
    const auto layout = schema::layout(schema, schema::LayoutMode::kAligned);
    EXPECT_EQ(layout.size(), format.bytes) << format.name;
    std::uint64_t bytes = 0;
    for (const BlockField& field : format.fields) bytes += field.count * schema::info(field.kind).size;
    EXPECT_EQ(bytes, format.bytes) << format.name;
    EXPECT_EQ(find_block_format(format.name), &format);
  }
  EXPECT_EQ(block_formats().size(), 10u);
  EXPECT_EQ(find_block_format("Q9_9"), nullptr);
}

}  // namespace
}  // namespace alknet::tensor
