#include "alknet/stream/assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/call/error.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

namespace alknet::stream {

using tensor::TensorError;

Assembly::Assembly(std::unique_ptr<Storage> storage) : storage_(std::move(storage)) {
  entries_.resize(file().entries().size());
  for (const tensor::Entry& entry : file().entries()) total_ += entry.bytes();
  read_checksums();
  for (const StoredRange& range : storage_->stored()) {
    if (range.index >= entries_.size() || range.end > file().entries()[range.index].bytes()) continue;
    for (const Interval& gap : entries_[range.index].received.missing({range.begin, range.end})) {
      entries_[range.index].received.add(gap);
      placed_ += gap.size();
    }
  }
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    try {
      finish_if_whole(i);
    } catch (const Error& error) {
      if (error.code() != TensorError::kChecksumMismatch) throw;  // what was stored is damaged: it comes again
    }
  }
}

void Assembly::read_checksums() {
  const auto table = file().is_metatensor() ? file().metadata(tensor::kChecksumKey) : std::nullopt;
  if (!table) return;
  const auto refuse = [&](std::string_view what) {
    return file_error(TensorError::kBadChecksumTable, {file().path()},
                      fmt::format("metadata {} cannot be used: {}", tensor::kChecksumKey, what),
                      "it must be a JSON object of digests by entry name");
  };
  Json digests;
  try {
    digests = parse_json(*table);
  } catch (const Error& error) {
    throw refuse(error.message());
  }
  if (!digests.is_object()) throw refuse("it is no object");
  for (const auto& [name, digest] : digests.get_object()) {
    const tensor::Entry* entry = file().find(name);
    if (entry == nullptr || !digest.is_string()) {
      throw refuse(tensor::quoted(std::string_view(name)) + " is no entry, or has no text");
    }
    checksums_.emplace(static_cast<std::uint32_t>(file().index_of(*entry)), digest.get_string());
  }
}

void Assembly::place(std::uint32_t index, std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto refuse = [](const std::string& what) { return Error(call::CallError::kProtocolError, what); };
  if (index >= entries_.size()) {
    throw refuse(fmt::format("[alknet/tensor] tensor {} of {} was sent", index, entries_.size()));
  }
  const tensor::Entry& entry = file().entries()[index];
  if (offset > entry.bytes() || bytes.size() > entry.bytes() - offset) {
    throw refuse(fmt::format("[alknet/tensor] bytes {} to {} of {} were sent, which has {}", offset,
                             offset + bytes.size(), tensor::quoted(entry.name), entry.bytes()));
  }
  if (entries_[index].complete || bytes.empty()) return;
  for (const Interval& gap : entries_[index].received.missing({offset, offset + bytes.size()})) {
    write(index, gap,
          bytes.subspan(static_cast<std::size_t>(gap.begin - offset), static_cast<std::size_t>(gap.size())));
  }
  finish_if_whole(index);
}

void Assembly::write(std::uint32_t index, Interval part, std::span<const std::byte> bytes) {
  EntryState& state = entries_[index];
  expect_more(index, part.end);
  storage_->write(file().entries()[index].begin + part.begin, bytes);
  state.received.add(part);
  placed_ += bytes.size();
  // While bytes come in order they are hashed now, when they are in the cache.
  if (part.begin == state.hashed && checksums_.contains(index)) {
    if (!state.hash) state.hash = std::make_unique<Xxh3>();
    state.hash->update(bytes);
    state.hashed = part.end;
  }
}

/// Never far ahead of what has come: a sender that only promises a large tensor must not make us take memory for it.
void Assembly::expect_more(std::uint32_t index, std::uint64_t begin) {
  constexpr std::uint64_t kAhead = std::uint64_t{16} << 20;
  constexpr std::uint64_t kWorthwhile = std::uint64_t{1} << 20;
  const tensor::Entry& entry = file().entries()[index];
  std::uint64_t& expected = entries_[index].expected;
  if (entry.bytes() < kWorthwhile || begin + kAhead / 2 < expected) return;
  const std::uint64_t from = std::max(begin, expected);
  const std::uint64_t to = std::min(begin + kAhead, entry.bytes());
  if (from >= to) return;
  storage_->expect(entry.begin + from, to - from);
  expected = to;
}

void Assembly::finish_if_whole(std::uint32_t index) {
  EntryState& state = entries_[index];
  if (state.complete || !state.received.covers({0, file().entries()[index].bytes()})) return;
  check(index);
  state.complete = true;
  state.hash.reset();
  ++complete_;
}

void Assembly::check(std::uint32_t index) {
  const auto wanted = checksums_.find(index);
  if (wanted == checksums_.end()) return;
  EntryState& state = entries_[index];
  const tensor::TensorView view = file().tensor(file().entries()[index]);
  if (!state.hash) state.hash = std::make_unique<Xxh3>();
  state.hash->update(view.data().subspan(static_cast<std::size_t>(state.hashed)));
  const std::string found = state.hash->hex();
  if (found == wanted->second) return;
  placed_ -= view.byte_size();
  state = {};
  throw file_error(
      TensorError::kChecksumMismatch, {file().path(), view.name(), view.entry().begin},
      fmt::format("the bytes that came hash to {}, the file says {}", found, tensor::quoted(wanted->second)),
      "ask for the tensor again; if that does not help, the sender's file is damaged");
}

std::vector<Interval> Assembly::missing(std::uint32_t index) const {
  const EntryState& state = entries_.at(index);
  if (state.complete) return {};
  return state.received.missing({0, file().entries()[index].bytes()});
}

void Assembly::save_progress() {
  std::vector<StoredRange> written;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    for (const Interval& part : entries_[i].received.parts()) written.push_back({i, part.begin, part.end});
  }
  storage_->save_progress(written);
}

}  // namespace alknet::stream
