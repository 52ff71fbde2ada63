#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/shortest_double.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/model_verbs.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/graph/error.h"

// What a sentence encoder can do.

namespace alknet::compute {
namespace {

/// Sentences of one piece of work on the compute thread, between which other callers get their turn.
constexpr std::size_t kSentencesAtOnce = 256;

constexpr ComputeOperation kEmbed = {
    "embed",
    call::OperationType::kQuery,
    "Turn sentences into vectors",
    "Embeds each sentence. Texts of like length are computed together; longer ones than the model takes are cut, which "
    "`truncated` says.",
    R"({"properties":{
      "sentences":{"type":"array","items":{"type":"string"},"description":"Texts in UTF-8",
        "examples":[["A dog runs in the park.","A puppy is playing outside."]]},
      "as":{"enum":["values","bytes"],"default":"values",
        "description":"Arrays of numbers, or f32 [sentences, dim] as bytes, row-major, little-endian"}},
      "required":["sentences"]})",
    R"({"properties":{
      "dim":{"type":"integer","description":"Numbers in a vector"},
      "vectors":{"type":"array","items":{"type":"array","items":{"type":"number"}},
        "description":"One of length 1 for each sentence; the dot product of two says how alike they are"},
      "data":"@bytes The same, when asked for",
      "truncated":{"type":"array","items":{"type":"integer"},
        "description":"How many tokens of each sentence were beyond what the model takes"}},
      "required":["dim","truncated"]})",
    kModelErrors,
    std::chrono::seconds(300)};

constexpr ComputeOperation kForward = {
    "forward",
    call::OperationType::kMutation,
    "Compute the hidden state of tokens",
    "The last hidden state of the encoder, before pooling, as a tensor f32 [batch, seq, dim]: of sentences, or of "
    "token "
    "ids. Sentences are padded to the longest; longer ones than the model takes are cut, which `truncated` says.",
    R"({"properties":{
      "sentences":{"type":"array","items":{"type":"string"},"minItems":1,"description":"Texts in UTF-8",
        "examples":[["A dog runs in the park."]]},
      "input_ids":"@tensor Instead of sentences: token ids [batch, seq], of an integer dtype",
      "attention_mask":"@tensor With input_ids: [batch, seq] of any dtype, 0 where there is padding; none otherwise",
      "ids":"@ids For the hidden state"},
      "oneOf":[{"required":["sentences"]},{"required":["input_ids"]}],
      "not":{"required":["sentences","attention_mask"]}})",
    R"({"properties":{
      "last_hidden_state":"@tensor f32 [batch, seq, dim]",
      "tokens":{"type":"array","items":{"type":"integer"},
        "description":"Of sentences: how many places of each row are tokens, the special ones counted; padding follows"},
      "truncated":{"type":"array","items":{"type":"integer"},
        "description":"Of sentences: how many tokens of each were beyond what the model takes"}},
      "required":["last_hidden_state"]})",
    kModelErrors,
    std::chrono::seconds(300)};

using EncoderPtr = std::shared_ptr<SentenceEncoder>;
using MakeEncoder = std::function<SentenceEncoder(Context context)>;
using Sentences = std::vector<SentenceEncoder::Sentence>;
using TokenBatch = SentenceEncoder::TokenBatch;

/// A model on the compute thread, where it also ends; made anew when its device was lost.
class ServedEncoder {
 public:
  /// On the compute thread.
  ServedEncoder(ComputeService& service, MakeEncoder make)
      : service_(service), make_(std::move(make)), encoder_(made()) {}
  ~ServedEncoder() {
    service_.release(std::move(encoder_));
    service_.release(std::move(make_));
  }
  ServedEncoder(const ServedEncoder&) = delete;
  ServedEncoder& operator=(const ServedEncoder&) = delete;

  ComputeService& service() const { return service_; }

  /// On the compute thread.
  const EncoderPtr& encoder() {
    if (encoder_->context().backend()->lost()) encoder_ = made();
    return encoder_;
  }

 private:
  EncoderPtr made() const {
    return std::make_shared<SentenceEncoder>(make_(service_.make_context(service_.model_times())));
  }

  ComputeService& service_;
  MakeEncoder make_;
  EncoderPtr encoder_;
};

using ModelPtr = std::shared_ptr<ServedEncoder>;

/// Runs a task on the compute thread, where it may wait, and resumes here with its result. A stop of this call ends it.
template <typename T>
Task<T> on_compute_thread(ComputeService& service, const call::OperationContext& context, Task<T> task) {
  Completion<T> done;
  auto finish = [done](Outcome<T> outcome) mutable {
    try {
      if constexpr (std::is_void_v<T>) {
        outcome.take();
        done.set_value();
      } else {
        done.set_value(outcome.take());
      }
    } catch (...) {
      done.set_error(std::current_exception());
    }
  };
  start(service.compute(), std::move(task), std::move(finish), context.stop_token());
  co_return co_await done.wait();
}

Message vectors_answer(const Sentences& sentences, std::size_t dim, bool bytes) {
  Message answer;
  JsonArray truncated;
  JsonArray vectors;
  std::vector<std::byte> data;
  for (const auto& sentence : sentences) {
    truncated.emplace_back(sentence.truncated);
    if (bytes) {
      const auto elements = std::as_bytes(std::span(sentence.vector));
      data.insert(data.end(), elements.begin(), elements.end());
    } else {
      JsonArray vector;
      vector.reserve(sentence.vector.size());
      for (const float each : sentence.vector) vector.emplace_back(shortest_double(each));
      vectors.emplace_back(std::move(vector));
    }
  }
  JsonObject members{{"dim", dim}, {"truncated", std::move(truncated)}};
  if (bytes) {
    members.emplace("data", attach_bytes(answer, SharedBytes::take(std::move(data))));
  } else {
    members.emplace("vectors", std::move(vectors));
  }
  answer.value = std::move(members);
  return answer;
}

struct Embedded {
  Sentences sentences;
  std::size_t dim = 0;
};

/// On the compute thread, as all that follows with a model in it.
Task<Embedded> embed_part(ModelPtr model, std::vector<std::string> texts) {
  const EncoderPtr encoder = model->encoder();
  Embedded part;
  part.dim = encoder->dim();
  auto running = encoder->embed_arriving(std::move(texts));
  part.sentences = co_await std::move(running);
  co_return part;
}

void require_few(std::size_t count, std::size_t most, std::string_view what) {
  if (count <= most) return;
  throw Error(call::CallError::kResourceExhausted, fmt::format("at most {} {} a call", most, what),
              JsonObject{{"limit", what}});
}

Task<Message> embed_sentences(ModelPtr model, call::OperationContext& context, Message input) {
  ComputeService& service = model->service();
  const JsonObject& object = members(input);
  const auto texts = texts_member(object, "sentences");
  require_few(texts.size(), service.options().max_sentences, "sentences");
  Embedded all;
  for (std::size_t first = 0; first == 0 || first < texts.size(); first += kSentencesAtOnce) {
    const std::size_t count = std::min(kSentencesAtOnce, texts.size() - first);
    std::vector<std::string> part(texts.begin() + static_cast<std::ptrdiff_t>(first),
                                  texts.begin() + static_cast<std::ptrdiff_t>(first + count));
    auto running = on_compute_thread(service, context, embed_part(model, std::move(part)));
    Embedded made = co_await std::move(running);
    all.dim = made.dim;
    std::move(made.sentences.begin(), made.sentences.end(), std::back_inserter(all.sentences));
  }
  const Json* as = member(object, "as");
  co_return vectors_answer(all.sentences, all.dim, as != nullptr && *as == Json("bytes"));
}

/// What `forward` is asked for.
struct ForwardRequest {
  std::vector<std::string> sentences;         ///< Or:
  std::shared_ptr<TensorResource> ids, mask;  ///< `mask` may be null.
  std::shared_ptr<OwnerState> owner;
  Room room;
};

struct Forwarded {
  std::shared_ptr<TensorResource> hidden;
  JsonArray tokens, truncated;
};

[[noreturn]] void refuse_shape(const std::string& message) { throw Error(graph::GraphError::kShapeMismatch, message); }

/// What can be said of token ids without the model.
void check_tokens(const ForwardRequest& request, std::size_t most) {
  const Shape& shape = request.ids->shape();
  if (graph::dtype_class(request.ids->dtype()) != graph::DtypeClass::kInteger) {
    throw Error(graph::GraphError::kDtypeMismatch,
                fmt::format("input_ids is {}, token ids are integers", graph::dtype_name(request.ids->dtype())));
  }
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0) {
    refuse_shape(fmt::format("input_ids is {}, tokens are [batch, seq], of at least one", graph::shape_text(shape)));
  }
  if (request.mask && request.mask->shape() != shape) {
    refuse_shape(fmt::format("attention_mask is {}, input_ids is {}", graph::shape_text(request.mask->shape()),
                             graph::shape_text(shape)));
  }
  require_few(static_cast<std::size_t>(graph::element_count(shape)), most, "tokens");
}

TokenBatch given_tokens(const SentenceEncoder& encoder, const ForwardRequest& request) {
  const std::int64_t batch = request.ids->shape()[0], seq = request.ids->shape()[1];
  if (seq > encoder.max_positions()) {
    refuse_shape(fmt::format("input_ids has {} tokens a row, the model takes {}", seq, encoder.max_positions()));
  }
  TokenBatch tokens{batch, seq, {}, {}};
  const auto count = static_cast<std::size_t>(batch * seq);
  // Read as i64, so that no id wraps around into the vocabulary.
  for (const std::int64_t id : request.ids->held().to(Dtype::kI64).to_vector<std::int64_t>()) {
    if (id < 0 || id >= encoder.vocab_size()) {
      const auto place = static_cast<std::int64_t>(tokens.ids.size());
      throw Error(ComputeError::kIndexOutOfRange, fmt::format("input_ids[{}, {}] is {}, the vocabulary has {} tokens",
                                                              place / seq, place % seq, id, encoder.vocab_size()));
    }
    tokens.ids.push_back(static_cast<std::int32_t>(id));
  }
  if (!request.mask) {
    tokens.mask.assign(count, 1.0F);
  } else {
    for (const bool kept : request.mask->held().to(Dtype::kBool).to_vector<bool>()) tokens.mask.push_back(kept);
  }
  return tokens;
}

TokenBatch tokens_of(const SentenceEncoder& encoder, const std::vector<std::string>& texts, std::size_t most,
                     Forwarded& answer) {
  const Sentences sentences = encoder.tokenize(texts);
  std::vector<const SentenceEncoder::Sentence*> all;
  std::size_t longest = 0;
  for (const auto& sentence : sentences) {
    all.push_back(&sentence);
    longest = std::max(longest, sentence.tokens.size());
    answer.tokens.emplace_back(sentence.tokens.size());
    answer.truncated.emplace_back(sentence.truncated);
  }
  require_few(all.size() * longest, most, "tokens");
  return encoder.padded(all);
}

Task<Forwarded> forward_tokens(ModelPtr model, ForwardRequest request) {
  ComputeService& service = model->service();
  const EncoderPtr encoder = model->encoder();
  Forwarded answer;
  TokenBatch tokens = request.ids ? given_tokens(*encoder, request)
                                  : tokens_of(*encoder, request.sentences, service.options().max_tokens, answer);
  const Shape shape = {tokens.batch, tokens.seq, static_cast<std::int64_t>(encoder->dim())};
  request.room.require(1, graph::storage_bytes(Dtype::kF32, graph::element_count(shape)));
  const Tensor hidden = request.owner->context().empty(Dtype::kF32, shape, "last_hidden_state");
  auto running = encoder->hidden_states(std::move(tokens), hidden);
  co_await std::move(running);
  answer.hidden = std::make_shared<TensorResource>(service, hidden);
  co_return answer;
}

Task<Message> forward(ModelPtr model, call::OperationContext& context, Message input) {
  ComputeService& service = model->service();
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  ForwardRequest request;
  request.room = room_of(context);
  request.sentences = texts_member(object, "sentences");
  require_few(request.sentences.size(), service.options().max_sentences, "sentences");
  if (const Json* given = member(object, "input_ids")) request.ids = tensor_of(context, *given);
  if (const Json* given = member(object, "attention_mask")) request.mask = tensor_of(context, *given);
  if (request.ids) check_tokens(request, service.options().max_tokens);
  request.owner = service.owner(context);
  auto running = on_compute_thread(service, context, forward_tokens(model, std::move(request)));
  Forwarded made = co_await std::move(running);
  JsonObject answer{{"last_hidden_state", keep_tensor(context, made.hidden, ids)}};
  if (!made.tokens.empty()) {
    answer.emplace("tokens", std::move(made.tokens));
    answer.emplace("truncated", std::move(made.truncated));
  }
  co_return Message{std::move(answer), {}};
}

/// A verb that is a function of the model.
template <Task<Message> (*Function)(ModelPtr, call::OperationContext&, Message)>
call::OnceHandler verb_of(ModelPtr model) {
  return [model = std::move(model)](call::OperationContext& context, Message input) {
    return Function(model, context, std::move(input));
  };
}

ModelPtr serve_encoder(ComputeService& service, MakeEncoder make) {
  const auto loaded = std::make_shared<std::promise<ModelPtr>>();
  service.compute().post([&service, make = std::move(make), loaded]() mutable {
    try {
      loaded->set_value(std::make_shared<ServedEncoder>(service, std::move(make)));
    } catch (...) {
      loaded->set_exception(std::current_exception());
    }
  });
  return loaded->get_future().get();
}

std::vector<call::Registration> sentence_operations(ComputeService& service, const std::string& name,
                                                    MakeEncoder make) {
  const ModelPtr model = serve_encoder(service, std::move(make));
  return model_operations(service, name,
                          {{kEmbed, verb_of<embed_sentences>(model)}, {kForward, verb_of<forward>(model)}});
}

}  // namespace

std::vector<call::Registration> sentence_model_operations(ComputeService& service, const std::string& name,
                                                          const std::filesystem::path& folder) {
  return sentence_operations(service, name, [folder](Context context) {
    return SentenceEncoder::load(folder, std::move(context), SentenceEncoder::Options{});
  });
}

std::vector<call::Registration> sentence_model_operations(ComputeService& service, const std::string& name,
                                                          ModelFiles files, std::shared_ptr<tensor::Source> source) {
  return sentence_operations(service, name, [files = std::move(files), source = std::move(source)](Context context) {
    return SentenceEncoder::load(files, source, std::move(context), SentenceEncoder::Options{});
  });
}

}  // namespace alknet::compute
