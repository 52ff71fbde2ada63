// Long runs of a node and its users over loopback:
//
//   alknet_soak run --minutes 30 --connections 1000     every answer is accounted for, memory stays flat
//   alknet_soak connections                             N4: what idle connections take
//   alknet_soak subscriptions                           N4: what idle subscriptions take, and that they live on
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

#include "bench/soak/child.h"
#include "bench/soak/idle.h"
#include "bench/soak/server.h"
#include "bench/soak/soak.h"

int main(int argc, char** argv) {
  using namespace alknet::bench::soak;
  CLI::App program("Long runs of a node and its users over loopback");
  program.require_subcommand(1);
  std::string folder, addresses;

  SoakOptions soak;
  CLI::App* run = program.add_subcommand("run", "Users who call, read, stream, give up and go away at random");
  CLI::App* users = program.add_subcommand("users", "Internal: those who are killed");
  run->add_option("--minutes", soak.minutes, "How long")->capture_default_str();
  run->add_option("--actions", soak.actions, "How many actions of each user instead");
  run->add_option("--killed", soak.killed, "Further users, killed again and again")->capture_default_str();
  run->add_option("--most-rise", soak.most_rise, "By how much memory may rise")->capture_default_str();
  run->add_flag("--json", soak.json, "Print the summary as JSON too, as the last line");
  for (CLI::App* one : {run, users}) {
    one->add_option("--connections", soak.connections, "Users, each with one")->capture_default_str();
    one->add_option("--rate", soak.rate, "Actions a second, of all users together")->capture_default_str();
    one->add_option("--seed", soak.seed, "Of what is random")->capture_default_str();
  }
  IdleOptions idle;
  CLI::App* connections = program.add_subcommand("connections", "The memory of idle connections");
  connections->add_option("--count", idle.connections)->capture_default_str();
  CLI::App* subscriptions = program.add_subcommand("subscriptions", "Idle subscriptions: their memory, their life");
  subscriptions->add_option("--count", idle.subscriptions)->capture_default_str();
  subscriptions->add_option("--connections", idle.subscribers, "That share them")->capture_default_str();
  subscriptions->add_option("--seconds", idle.seconds, "For which they are idle")->capture_default_str();
  for (CLI::App* one : {connections, subscriptions}) {
    one->add_flag("--json", idle.json, "Print the figures as JSON too, as the last line");
  }
  CLI::App* serve = program.add_subcommand("serve", "Internal: the node");
  for (CLI::App* one : {serve, users}) one->add_option("--folder", folder)->required();
  users->add_option("--addresses", addresses)->required();
  CLI11_PARSE(program, argc, argv);

  raise_file_limit();
  try {
    if (serve->parsed()) return run_server(folder);
    if (users->parsed()) run_killed_users(folder, addresses, soak);
    if (run->parsed()) return run_soak(soak) ? 0 : 1;
    const auto measure = connections->parsed() ? run_idle_connections : run_idle_subscriptions;
    return measure(idle) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "alknet_soak: {}\n", error.what());
    return 1;
  }
}
