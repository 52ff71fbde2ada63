#include "alknet/call/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"

namespace alknet::call {
namespace {

std::vector<Registration> named(std::initializer_list<const char*> names) {
  std::vector<Registration> registrations;
  for (const char* name : names) registrations.push_back(simple_operation(name, echo));
  return registrations;
}

TEST(Layer, AddsAllOrNothing) {
  Layer layer;
  layer.add(named({"a/one"}));
  EXPECT_EQ(code_of([&] { layer.add(named({"a/two", "a/one"})); }), "name_taken");
  EXPECT_EQ(code_of([&] { layer.add(named({"a/two", "a/two"})); }), "name_taken");
  EXPECT_EQ(code_of([&] { layer.add(named({"a/two", "bad name"})); }), "operation_invalid");
  EXPECT_EQ(layer.snapshot()->size(), 1U);
}

TEST(Layer, ASnapshotNeverChanges) {
  Layer layer;
  layer.add(named({"a/one"}));
  const Snapshot before = layer.snapshot();
  const auto version = layer.version();
  layer.replace(named({"b/two"}));
  EXPECT_TRUE(before->contains("a/one"));
  EXPECT_FALSE(layer.snapshot()->contains("a/one"));
  EXPECT_GT(layer.version(), version);
}

TEST(Layer, ReplacesAPrefixAndNothingElse) {
  Layer layer;
  layer.add(named({"model/a/embed", "model/a/forward", "model/b/embed"}));
  layer.replace_prefix("model/a/", named({"model/a/generate"}));
  std::vector<std::string> names;
  for (const auto& [name, operation] : *layer.snapshot()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"model/a/generate", "model/b/embed"}));
  EXPECT_EQ(code_of([&] { layer.replace_prefix("model/a/", named({"model/b/embed"})); }), "name_taken");
  EXPECT_EQ(layer.snapshot()->size(), 2U);
}

TEST(Layer, ExchangesOperationsAtOnce) {
  Layer layer;
  layer.add(named({"a/one", "a/two", "b/other"}));
  layer.exchange({"a/one", "a/two", "a/never"}, named({"a/two", "a/three"}));
  std::vector<std::string> names;
  for (const auto& [name, operation] : *layer.snapshot()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"a/three", "a/two", "b/other"}));
  EXPECT_EQ(code_of([&] { layer.exchange({"a/two"}, named({"b/other"})); }), "name_taken");
  EXPECT_TRUE(layer.snapshot()->contains("a/two")) << "nothing changed";
}

TEST(Registry, AnOverlayMayNotTakeOurNamesNorReservedOnes) {
  Registry registry;
  registry.curated().add(named({"files/read"}));
  Layer overlay;
  for (const char* name :
       {"files/read", "services/list", "compute/run", "tensor/add", "model/x", "desktop/x", "isolate/x"}) {
    EXPECT_EQ(code_of([&] { registry.add_overlay(overlay, named({name})); }), "name_taken") << name;
  }
  registry.add_overlay(overlay, named({"services/list", "tensor/add"}), "gpu1/");
  EXPECT_TRUE(overlay.snapshot()->contains("gpu1/tensor/add"));
  EXPECT_EQ(code_of([&] { registry.add_overlay(overlay, named({"x/y"}), "compute/"); }), "name_taken");
}

TEST(Lookup, TheFirstLayerThatKnowsANameAnswers) {
  Layer first, second;
  first.add(named({"a/x"}));
  second.add(named({"a/x", "a/y"}));
  const Lookup lookup({first.snapshot(), second.snapshot()});
  EXPECT_EQ(lookup.find("a/x"), first.snapshot()->at("a/x"));
  EXPECT_EQ(lookup.find("/a/y"), second.snapshot()->at("a/y"));
  EXPECT_EQ(lookup.find("//a/y"), nullptr);
  EXPECT_EQ(lookup.find("a/z"), nullptr);
  EXPECT_EQ(lookup.all().size(), 2U);
}

TEST(Layer, MayBeReadWhileItIsReplaced) {
  Layer layer;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const Snapshot snapshot = layer.snapshot();
      ASSERT_TRUE(snapshot->empty() || snapshot->size() == 2);
    }
  });
  for (int i = 0; i < 200; ++i) layer.replace(named({"a/x", "a/y"}));
  done = true;
  reader.join();
}

}  // namespace
}  // namespace alknet::call
