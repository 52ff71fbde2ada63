#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/net/import/fetch.h"

/// For tests of importers: a server in memory that notes the requests it gets.

namespace alknet::net {

struct SeenRequest {
  std::string method;
  std::string url;
  HttpHeaders headers;
  std::string body;
};

struct GivenAnswer {
  int status = 200;
  std::string type = "application/json";
  std::vector<std::string> pieces;
  HttpHeaders headers = {};
  bool hangs = false;  ///< after the pieces nothing comes, and no end
};

class FakeServer {
 public:
  using Answer = std::function<GivenAnswer(const SeenRequest&)>;
  explicit FakeServer(Answer answer) : state_(std::make_shared<State>()) { state_->answer = std::move(answer); }

  HttpFetch fetch() const {
    return [state = state_](FetchRequest request) { return serve(state, std::move(request)); };
  }
  const std::vector<SeenRequest>& seen() const { return state_->seen; }
  const SeenRequest& last() const { return state_->seen.at(state_->seen.size() - 1); }

 private:
  struct State {
    Answer answer;
    std::vector<SeenRequest> seen;
  };
  static AsyncGenerator<SharedBytes> pieces(GivenAnswer given) {
    for (const std::string& piece : given.pieces) co_yield SharedBytes::copy(piece);
    if (given.hangs) co_await sleep_for(std::chrono::hours(24));
  }
  static Task<FetchedAnswer> serve(std::shared_ptr<State> state, FetchRequest request) {
    SeenRequest seen;
    seen.method = request.method;
    seen.url = request.url;
    seen.headers = request.headers;
    seen.body = std::string(request.body.text());
    state->seen.push_back(seen);
    GivenAnswer given = state->answer(seen);
    HttpHeaders headers = given.headers;
    if (!given.type.empty()) headers.add("Content-Type", given.type);
    const int status = given.status;
    FetchedAnswer answer{status, std::move(headers), pieces(std::move(given))};
    co_return std::move(answer);
  }
  std::shared_ptr<State> state_;
};

inline GivenAnswer json_answer(std::string text, int status = 200) {
  GivenAnswer answer;
  answer.status = status;
  answer.pieces.push_back(std::move(text));
  return answer;
}

}  // namespace alknet::net
