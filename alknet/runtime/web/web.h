#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/runtime/isolate.h"

// The web platform of an isolate: console, timers, URL, streams and the rest of docs/web-platform.md.

namespace alknet::runtime {

/// The method of console that a text came from, or what is nearest to it.
enum class ConsoleLevel { kLog, kInfo, kDebug, kWarn, kError };

struct WebOptions {
  /// Gets what console prints, a message at a time, without the line end; null: it is dropped. What it throws reaches
  /// the script. Each text counts towards `IsolateLimits::output_bytes`.
  std::function<void(ConsoleLevel, std::string_view)> print;

  /// The network behind `fetch`; null: there is no `fetch` (Headers, Request and Response are there all the same).
  ///
  /// It is called with an object {method, url, headers: [[name, value]...], body: Uint8Array or null, redirect, signal}
  /// and gives a promise of {status, statusText, url, redirected, headers: [[name, value]...], body}, where `body` is
  /// null, an ArrayBuffer, a Uint8Array, or an object {pull(), cancel()}: `pull` gives a promise of the next Uint8Array
  /// or of null at the end, `cancel` ends the transfer. A rejection is what `fetch` rejects with: a TypeError for
  /// failures of the network and for what privileges forbid. When `signal` aborts, the answer no longer matters.
  std::function<Value(Realm, const Value& request)> fetch;

  /// The network behind `WebSocket`; null: there is neither it nor `CloseEvent`.
  ///
  /// It is called with a URL (ws or wss), an array of subprotocols and an object of handlers for what happens:
  /// {opened(protocol), message(string or ArrayBuffer), closed(code, reason, wasClean)}, each called in a turn of its
  /// own, `closed` once and last. It gives an object {send(string or Uint8Array), close(code, reason), buffered()},
  /// where `buffered` is how many bytes wait to be sent. What it throws the constructor throws.
  std::function<Value(Realm, const Value& url, const Value& protocols, const Value& handlers)> connect;

  std::string user_agent = "alknet";  ///< navigator.userAgent: "alknet/VERSION"
  unsigned hardware_concurrency = 1;  ///< navigator.hardwareConcurrency
};

/// Defines the interfaces as properties of the isolate's global object. Each is read and run when script first uses it,
/// so this takes some microseconds. Once an isolate, on its thread.
///
/// Timers run on the isolate's executor; without one `setTimeout` throws. While one waits (but for
/// `AbortSignal.timeout`) the isolate is not idle.
void install_web(Isolate& isolate, WebOptions options = {});

/// The names that install_web defines, in the order of the table; also those that need `fetch` or `connect`.
std::vector<std::string_view> web_globals();

}  // namespace alknet::runtime
