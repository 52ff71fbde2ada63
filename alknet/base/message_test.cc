#include "alknet/base/message.h"

#include <gtest/gtest.h>

#include "alknet/base/error.h"

namespace alknet {
namespace {

TEST(Message, ReferencesItsBuffersByIndex) {
  Message message;
  message.value = JsonObject{{"left", attach_bytes(message, SharedBytes::copy("abc"))},
                             {"right", attach_bytes(message, SharedBytes::copy("de"))}};
  EXPECT_EQ(json_text(message.value), R"({"left":{"$bytes":0},"right":{"$bytes":1}})");
  EXPECT_EQ(attached_bytes(message, message.value.at("right")).text(), "de");
}

TEST(Message, RefusesWhatIsNoReferenceToABuffer) {
  Message message;
  attach_bytes(message, SharedBytes::copy("abc"));
  for (const auto* text : {"{\"$bytes\":1}", "{\"$bytes\":-1}", "{\"$bytes\":0.5}", "{\"$bytes\":\"0\"}",
                           "{\"$bytes\":0,\"more\":1}", "{}", "0", "null", "{\"bytes\":0}"}) {
    EXPECT_THROW(attached_bytes(message, parse_json(text)), Error) << text;
  }
}

}  // namespace
}  // namespace alknet
