#include "alknet/call/resources.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"

namespace alknet::call {
namespace {

struct Thing : Resource {
  explicit Thing(std::uint64_t size) : bytes_held(size) {}
  std::uint64_t bytes() const override { return bytes_held; }
  std::string_view kind() const override { return "thing"; }
  std::uint64_t bytes_held;
};
struct Other final : Resource {
  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "other"; }
};

TEST(ResourceTable, NumbersItsHandlesAndNeverUsesOneTwice) {
  ResourceTable table;
  EXPECT_EQ(table.add(std::make_shared<Thing>(1)), "h1");
  EXPECT_EQ(table.add(std::make_shared<Thing>(1)), "h2");
  EXPECT_NE(table.take("h2"), nullptr);
  EXPECT_EQ(table.add(std::make_shared<Thing>(1)), "h3");
  EXPECT_EQ(table.find("h2"), nullptr);
}

TEST(ResourceTable, CallersChooseRisingNumbers) {
  ResourceTable table;
  table.add_as("c1", std::make_shared<Thing>(1));
  table.add_as("c7", std::make_shared<Thing>(1));
  for (const char* handle :
       {"c7", "c6", "c1", "h9", "c", "c08", "c-9", "c9 ", "", "x", "c99999999999999999999999", "c0"}) {
    EXPECT_EQ(code_of([&] { table.add_as(handle, std::make_shared<Thing>(1)); }), "invalid_input") << handle;
  }
  EXPECT_EQ(table.count(), 2U);
}

TEST(ResourceTable, CallersInAScopeChooseAnyNumberThatIsNotInUse) {
  ResourceTable table;
  const int call = 0, other = 0;
  table.add_as("c5", std::make_shared<Thing>(1));
  table.add_as("c900", std::make_shared<Thing>(1), &call);
  table.add_as("c7", std::make_shared<Thing>(1), &other);
  table.add_as("c3", std::make_shared<Thing>(1), &call);
  for (const char* handle : {"c5", "c900", "c7"}) {
    EXPECT_EQ(code_of([&] { table.add_as(handle, std::make_shared<Thing>(1), &call); }), "invalid_input") << handle;
  }
  table.add_as("c6", std::make_shared<Thing>(1));
  EXPECT_EQ(code_of([&] { table.add_as("c7", std::make_shared<Thing>(1)); }), "invalid_input") << "in use";
  EXPECT_EQ(code_of([&] { table.add_as("c5", std::make_shared<Thing>(1)); }), "invalid_input") << "not rising";
  EXPECT_EQ(table.bytes(), 5U);
  table.end_scope(&call);
  EXPECT_EQ(table.count(), 3U);
}

TEST(ResourceTable, QuotasHoldAndAFailedAddChangesNothing) {
  ResourceTable table({.max_count = 3, .max_bytes = 100});
  table.add(std::make_shared<Thing>(60));
  const Error error = error_of([&] { table.add(std::make_shared<Thing>(41)); });
  EXPECT_EQ(error.code(), CallError::kResourceExhausted);
  EXPECT_EQ(error.details().at("limit"), "bytes");
  EXPECT_EQ(code_of([&] { table.add(std::make_shared<Thing>(UINT64_MAX)); }), "resource_exhausted");
  EXPECT_EQ(code_of([&] { table.add_as("c5", std::make_shared<Thing>(41)); }), "resource_exhausted");
  table.add_as("c5", std::make_shared<Thing>(40));
  table.add(std::make_shared<Thing>(0));
  EXPECT_EQ(error_of([&] { table.add(std::make_shared<Thing>(0)); }).details().at("limit"), "count");
  EXPECT_EQ(table.bytes(), 100U);
  table.take("c5");
  EXPECT_EQ(table.bytes(), 60U);
}

TEST(ResourceTable, WhatIsHeldForAnotherCountsThereToo) {
  ResourceTable payer({.max_count = 3, .max_bytes = 100});
  const auto thing = std::make_shared<Thing>(50);
  {
    ResourceTable one({.max_count = 100, .max_bytes = 1'000}, payer.account());
    ResourceTable two({.max_count = 1, .max_bytes = 1'000}, payer.account());
    const std::string handle = one.add(thing);
    two.add(std::make_shared<Thing>(30));
    EXPECT_EQ(error_of([&] { two.add(std::make_shared<Thing>(0)); }).details().at("most"), 1);
    EXPECT_EQ(error_of([&] { one.add(std::make_shared<Thing>(21)); }).details().at("limit"), "bytes");
    EXPECT_EQ(payer.left().max_bytes, 20U);
    EXPECT_EQ(one.left().max_bytes, 20U);
    EXPECT_EQ(one.left().max_count, 1U);
    EXPECT_EQ(two.left().max_count, 0U);
    EXPECT_EQ(payer.count(), 0U) << "the payer has none of the handles";
    thing->bytes_held = 71;
    EXPECT_EQ(code_of([&] { one.recount(handle); }), "resource_exhausted");
    thing->bytes_held = 10;
    one.recount(handle);
    EXPECT_EQ(payer.left().max_bytes, 60U);
    EXPECT_EQ(code_of([&] { payer.add(std::make_shared<Thing>(61)); }), "resource_exhausted");
    one.clear();
    EXPECT_EQ(payer.left().max_bytes, 70U);
  }
  EXPECT_EQ(payer.left().max_bytes, 100U);
  EXPECT_EQ(payer.left().max_count, 3U);
}

TEST(ResourceTable, ScopesHoldWhatIsNeitherKeptNorTaken) {
  ResourceTable table;
  const int call = 0, other = 0;
  for (int i = 0; i < 10'000; ++i) table.take(table.add(std::make_shared<Thing>(1), &call));
  EXPECT_EQ(table.count_in(&call), 0U);
  const std::string kept = table.add(std::make_shared<Thing>(1), &call);
  table.add(std::make_shared<Thing>(1), &call);
  table.add_as("c1", std::make_shared<Thing>(1), &other);
  EXPECT_EQ(table.count_in(&call), 2U);
  const std::vector<std::string_view> returned{kept, "c1", "h999"};
  table.keep(&call, returned);
  table.end_scope(&call);
  EXPECT_NE(table.find(kept), nullptr);
  EXPECT_NE(table.find("c1"), nullptr);
  EXPECT_EQ(table.count(), 2U);
  EXPECT_EQ(table.bytes(), 2U);
  table.end_scope(&call);
  EXPECT_EQ(table.count_in(&other), 1U);
}

TEST(ResourceTable, RecountsWhatGrew) {
  ResourceTable table({.max_count = 3, .max_bytes = 100});
  const auto thing = std::make_shared<Thing>(10);
  const std::string handle = table.add(thing);
  thing->bytes_held = 100;
  table.recount(handle);
  EXPECT_EQ(table.bytes(), 100U);
  thing->bytes_held = 101;
  EXPECT_EQ(code_of([&] { table.recount(handle); }), "resource_exhausted");
  table.take(handle);
  EXPECT_EQ(table.bytes(), 0U);
}

TEST(ResourceTable, GivesThingsByTypeAndNamesTheWrongOne) {
  ResourceTable table;
  const std::string handle = table.add(std::make_shared<Other>());
  EXPECT_EQ(code_of([&] { table.get<Thing>("h99"); }), "invalid_input");
  const Error error = error_of([&] { table.get<Thing>(handle); });
  EXPECT_NE(error.message().find("is a other"), std::string::npos) << error.message();
  EXPECT_NO_THROW(table.get<Other>(handle));
}

TEST(ResourceTable, ItsEndDropsEverything) {
  auto thing = std::make_shared<Thing>(5);
  const std::weak_ptr<Thing> watched = thing;
  ResourceTable table;
  table.add(std::move(thing));
  table.clear();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(table.bytes(), 0U);
}

}  // namespace
}  // namespace alknet::call
