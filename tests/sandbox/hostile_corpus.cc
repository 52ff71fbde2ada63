#include "tests/sandbox/hostile_corpus.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/call/connection.h"
#include "alknet/call/descriptor_transport.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/runtime/helper_process.h"

namespace alknet::hostile {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kExpects = "// expects: ";
constexpr std::string_view kAllows = "// allows: ";
constexpr std::uint64_t kMaxScript = std::uint64_t{1} << 20;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Script read_script(const std::filesystem::path& path) {
  Script script{path.stem().string(), {}, {}, {}, read_file(path, kMaxScript)};
  std::istringstream lines(script.source);
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  std::getline(lines, third);
  if (!first.starts_with("// ") || !second.starts_with(kExpects)) {
    throw Error(BaseError::kInvalidArgument, fmt::format("{}: its first two lines say what it tries and what it "
                                                         "expects",
                                                         path.string()));
  }
  script.tries = first.substr(3);
  script.expects = words_of(second.substr(kExpects.size()));
  if (third.starts_with(kAllows)) script.allows = words_of(third.substr(kAllows.size()));
  return script;
}

/// Code and reason of the error that ended a session.
void describe(const Error& error, Outcome& outcome) {
  const auto* details = error.details().if_object();
  const auto text = [&](std::string_view name) {
    const Json* value = details == nullptr ? nullptr : details->if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  outcome.code = error.code() == call::CallError::kDomain ? text("code") : call::capitals(error.code_name());
  outcome.what = error.code() == call::CallError::kResourceExhausted ? text("limit") : error.message();
  std::replace_if(
      outcome.what.begin(), outcome.what.end(), [](char c) { return c == '\n' || c == '|'; }, ' ');
  if (outcome.what.size() > 60) outcome.what.resize(60);
}

compute::ComputeServiceOptions computing() {
  compute::ComputeServiceOptions options;
  options.device = "cpu";
  options.threads = 1;
  return options;
}

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<Script> scripts_in(const std::filesystem::path& folder, std::string_view extension) {
  std::vector<Script> scripts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == extension) scripts.push_back(read_script(entry.path()));
  }
  std::sort(scripts.begin(), scripts.end(), [](const Script& a, const Script& b) { return a.name < b.name; });
  return scripts;
}

Host::Host(std::filesystem::path helper) : service_(computing()), dispatcher_(loop_, registry_) {
  call::Registration canary;
  canary.spec.name = "canary/sing";
  canary.handler = call::OnceHandler([](call::OperationContext&, Message input) -> Task<Message> { co_return input; });
  call::Registration whoami;
  whoami.spec.name = "open/whoami";
  whoami.handler = call::OnceHandler([](call::OperationContext& context, Message) -> Task<Message> {
    const auto& identity = context.identity();
    co_return Message{JsonObject{{"id", identity ? identity->id : ""}, {"parent", context.parent_id()}}, {}};
  });
  registry_->curated().add({canary, whoami});
  for (const auto part : {compute::data_operations, compute::kernel_operations}) {
    registry_->curated().add(part(service_));
  }
  owner_ = std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "corpus", call::Identity::local_program());
  tensor_ =
      call("compute/create_tensor", JsonObject{{"dtype", "f32"}, {"shape", JsonArray{2}}, {"values", JsonArray{3, 4}}})
          .value;
  runtime::SandboxHostOptions options;
  options.program = std::move(helper);
  host_ = std::make_unique<runtime::SandboxHost>(loop_, dispatcher_, options);
}

Host::~Host() {
  owner_->end();
  host_.reset();
  service_.settle();
}

Message Host::call(std::string operation, Json input) {
  call::CallRequest request;
  request.operation = std::move(operation);
  request.input = {std::move(input), {}};
  std::optional<alknet::Outcome<Message>> answer;
  alknet::start(loop_, dispatcher_.call(owner_, std::move(request)), [&](alknet::Outcome<Message> outcome) {
    answer.emplace(std::move(outcome));
    loop_.stop();
  });
  loop_.run();
  return answer->take();
}

void Host::wait_for_spare() {
  while (host_->spare_helpers() == 0) {
    loop_.post_after(std::chrono::milliseconds(1), [this] { loop_.stop(); });
    loop_.run();
  }
  // A helper that was started is ready a moment later; scripts do not pay for it.
  loop_.post_after(std::chrono::milliseconds(20), [this] { loop_.stop(); });
  loop_.run();
}

Outcome Host::run(const Script& script, std::chrono::milliseconds deadline) {
  wait_for_spare();
  Outcome outcome;
  outcome.host_before = resident_bytes();
  runtime::SandboxSessionOptions options;
  options.script.name = script.name + ".js";
  options.script.source = script.source;
  options.script.operations = script.allows;
  options.authority = {"stranger", {"compute"}, {}, false};
  options.deadline = deadline;
  options.on_end = [&](const std::optional<Error>& error) {
    outcome.code = "completed";
    if (error) describe(*error, outcome);
    loop_.stop();
  };
  const auto begin = Clock::now();
  const auto session = host_->open(std::move(options));
  loop_.run();
  outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  outcome.host_after = resident_bytes();
  return outcome;
}

double Host::seconds_to_ready() {
  constexpr int kRuns = 9;
  const auto path = runtime::helper_program("alknet-sandbox", "ALKNET_SANDBOX_PROGRAM");
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = Clock::now();
    runtime::HelperProcess helper({path, {"--memory=268435456"}});
    call::ConnectionOptions options;
    options.sandbox_link = true;
    const auto link = call::Connection::open(loop_, call::make_descriptor_transport(loop_, helper.take_link()), nullptr,
                                             nullptr, options);
    Message nothing{JsonObject{}, {}};
    alknet::start(loop_, link->call(std::string(runtime::kPingOperation), std::move(nothing)),
                  [&](const alknet::Outcome<Message>&) { loop_.stop(); });
    loop_.run();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    link->close();
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRuns / 2, seconds.end());
  return seconds[kRuns / 2];
}

bool Host::unharmed() {
  const bool sang = call("canary/sing", Json("la")).value == Json("la");
  const Json read = call("compute/read_tensor", JsonObject{{"tensor", tensor_}, {"as", "values"}}).value;
  const bool kept = read.at("values") == Json(JsonArray{3.0, 4.0});
  const Script honest{"honest", "", {}, {}, "if (1 + 1 !== 2) throw new Error('harmed');"};
  return sang && kept && run(honest, std::chrono::seconds(10)).code == "completed" && host_->sessions() == 0;
}

}  // namespace alknet::hostile
