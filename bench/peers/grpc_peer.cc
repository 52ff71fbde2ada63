// gRPC C++ over TLS on loopback: the server in a child process, the client here, one connection.
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "bench/latency.h"
#include "bench/protocol.h"
#include "echo.grpc.pb.h"

namespace alknet::bench {
namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class EchoService final : public ::bench::Echo::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const ::bench::Payload* request,
                                  ::bench::Payload* answer) override {
    answer->set_data(request->data());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<::bench::Payload>* Stream(grpc::CallbackServerContext*,
                                                     const ::bench::StreamRequest* request) override {
    class Writer final : public grpc::ServerWriteReactor<::bench::Payload> {
     public:
      explicit Writer(const ::bench::StreamRequest& request) : left_(request.bytes()) {
        payload_.set_data(std::string(request.message_bytes(), 'x'));
        next();
      }
      void OnWriteDone(bool ok) override { ok ? next() : Finish(grpc::Status::CANCELLED); }
      void OnDone() override { delete this; }

     private:
      void next() {
        if (left_ == 0) return Finish(grpc::Status::OK);
        left_ -= std::min<std::uint64_t>(left_, payload_.data().size());
        StartWrite(&payload_);
      }
      std::uint64_t left_;
      ::bench::Payload payload_;
    };
    return new Writer(*request);
  }
};

/// Runs the server and prints its port.
int serve_echo(const std::string& certificate, const std::string& key) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({text_of(key), text_of(certificate)});
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  std::cout << port << std::endl;
  server->Wait();
  return 0;
}

/// The server's process and a channel to it.
class Client {
 public:
  Client(const std::string& program, const std::string& certificate, const std::string& key) {
    int out[2];
    if (pipe(out) != 0) throw std::runtime_error("pipe failed");
    child_ = fork();
    if (child_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      close(out[0]);
      execl(program.c_str(), program.c_str(), "--server", certificate.c_str(), key.c_str(), nullptr);
      _exit(127);
    }
    close(out[1]);
    FILE* from = fdopen(out[0], "r");
    int port = 0;
    if (std::fscanf(from, "%d", &port) != 1) throw std::runtime_error("the gRPC server did not start");
    std::fclose(from);
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = text_of(certificate);
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    arguments.SetMaxReceiveMessageSize(-1);
    stub = ::bench::Echo::NewStub(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::SslCredentials(options), arguments));
  }
  ~Client() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  std::unique_ptr<::bench::Echo::Stub> stub;

 private:
  pid_t child_;
};

std::shared_ptr<Client> connect(const Json& parameters) {
  return std::make_shared<Client>("/proc/self/exe", std::string(parameters.at("certificate").as_string()),
                                  std::string(parameters.at("key").as_string()));
}

void require_ok(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error("gRPC: " + status.error_message());
}

Case unary(const Json& parameters) {
  const auto latencies = std::make_shared<Latencies>(parameters.at("percentile").to_number<double>());
  const std::string data(parameters.at("bytes").to_number<std::size_t>(), 'x');
  return {[client = connect(parameters), latencies, data] {
            const auto begin = std::chrono::steady_clock::now();
            grpc::ClientContext context;
            ::bench::Payload request, answer;
            request.set_data(data);
            require_ok(client->stub->Unary(&context, request, &answer));
            if (answer.data().size() != data.size()) throw std::runtime_error("a wrong answer");
            latencies->add(std::chrono::steady_clock::now() - begin);
          },
          [latencies](int count) { return latencies->take() * count; }};
}

/// `calls` calls with `in_flight` at a time.
Case throughput(const Json& parameters) {
  const auto in_flight = parameters.at("in_flight").to_number<int>();
  const auto calls = parameters.at("calls").to_number<int>();
  const std::string data(parameters.at("bytes").to_number<std::size_t>(), 'x');
  return [client = connect(parameters), in_flight, calls, data] {
    struct Call {
      grpc::ClientContext context;
      ::bench::Payload request, answer;
    };
    std::mutex mutex;
    std::condition_variable done;
    int started = 0, finished = 0;
    std::string failure;
    std::function<void()> begin = [&] {
      auto* call = new Call;
      call->request.set_data(data);
      client->stub->async()->Unary(&call->context, &call->request, &call->answer, [&, call](grpc::Status status) {
        bool more = false;
        {
          const std::lock_guard lock(mutex);
          if (!status.ok()) failure = status.error_message();
          ++finished;
          more = started < calls;
          if (more) ++started;
          if (finished == calls) done.notify_all();
        }
        delete call;
        if (more) begin();
      });
    };
    started = in_flight;
    for (int i = 0; i < in_flight; ++i) begin();
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return finished == calls; });
    if (!failure.empty()) throw std::runtime_error(failure);
  };
}

Case stream(const Json& parameters) {
  const auto bytes = parameters.at("bytes").to_number<std::uint64_t>();
  const auto message_bytes = parameters.at("message_bytes").to_number<std::uint32_t>();
  return [client = connect(parameters), bytes, message_bytes] {
    const auto memory = std::make_unique_for_overwrite<char[]>(bytes);  // fresh, as a model that is loaded has it
    grpc::ClientContext context;
    ::bench::StreamRequest request;
    request.set_bytes(bytes);
    request.set_message_bytes(message_bytes);
    const auto reader = client->stub->Stream(&context, request);
    ::bench::Payload payload;
    std::uint64_t at = 0;
    while (reader->Read(&payload)) {
      payload.data().copy(memory.get() + at, payload.data().size());
      at += payload.data().size();
    }
    require_ok(reader->Finish());
    if (at != bytes) throw std::runtime_error("bytes are missing");
  };
}

}  // namespace
}  // namespace alknet::bench

int main(int argc, char** argv) {
  using namespace alknet::bench;
  if (argc == 4 && std::string(argv[1]) == "--server") return serve_echo(argv[2], argv[3]);
  serve({{"unary", unary}, {"throughput", throughput}, {"stream", stream}}, "gRPC C++ " + grpc::Version());
}
