#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alknet/net/import/openapi_document.h"

namespace alknet::net {

/// What a media type holds, the more preferred first.
enum class MediaKind { kJson, kMultipart, kForm, kText, kEvents, kBinary };

MediaKind kind_of(std::string_view type);

/// `type`, or what is sent for a range of types.
std::string concrete_type(std::string_view type, std::string_view usual);

/// A member of `content`.
struct Media {
  std::string type;
  MediaKind kind;
  DocumentPlace place;
};

/// What the `content` of a parameter, body or answer offers, the more preferred first.
std::vector<Media> media_of(const OpenApiDocument& document, const DocumentPlace& holder);

/// The `schema` of a media type or a parameter, translated; anything where it has none.
Json schema_of(const OpenApiDocument& document, const DocumentPlace& holder, SchemaTranslator& translator);

Json bytes_schema(std::string_view description = {});

}  // namespace alknet::net
