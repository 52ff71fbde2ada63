#include "alknet/call/engine/features.h"

#include <array>
#include <utility>

namespace alknet::call {

namespace {

constexpr std::array kFeatureNames{std::pair{"attachments", &Features::attachments},
                                   std::pair{"credit", &Features::credit}};

}  // namespace

Features Features::from_names(const std::vector<std::string>& names) {
  Features features;
  for (const auto& name : names) {
    for (const auto& [known, member] : kFeatureNames) features.*member |= name == known;
  }
  return features;
}

std::vector<std::string> Features::names() const {
  std::vector<std::string> names;
  for (const auto& [known, member] : kFeatureNames) {
    if (this->*member) names.emplace_back(known);
  }
  return names;
}

}  // namespace alknet::call
