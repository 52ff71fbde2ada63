#include "alknet/net/openapi_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/net/import/import_test_support.h"

namespace alknet::net {
namespace {

using call::CallError;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kPets = R"(
openapi: 3.0.3
info: {title: Pets, version: 1.2.3}
servers:
  - url: https://{region}.example.com/v1/
    variables: {region: {default: eu, enum: [eu, us]}}
security:
  - key: []
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: string}}
    get:
      operationId: getPet
      summary: One pet
      tags: [pets]
      parameters:
        - {name: fields, in: query, schema: {type: array, items: {type: string}}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: flavour, in: cookie, schema: {type: string}}
        - {name: petId, in: query, schema: {type: integer}}
        - {name: Authorization, in: header, schema: {type: string}}
      responses:
        '200':
          description: ok
          content:
            application/json: {schema: {$ref: '#/components/schemas/Pet'}}
        '404':
          description: unknown
          content:
            application/json: {schema: {$ref: '#/components/schemas/Problem'}}
        5XX: {description: broken}
    put:
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Pet'}}
      responses: {'204': {description: done}}
  /pets/{petId}/photo:
    post:
      operationId: pets/add photo!
      security: [{}]
      parameters:
        - {name: petId, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties:
                caption: {type: string}
                photo: {type: string, format: binary}
                more: {type: array, items: {type: string, format: binary}}
                place: {type: object, properties: {x: {type: integer}}}
            encoding: {photo: {contentType: image/png}}
      responses: {'200': {description: ok, content: {text/plain: {schema: {type: string}}}}}
  /login:
    post:
      operationId: login
      security: [{user: []}, {token: []}]
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {name: {type: string}, roles: {type: array, items: {type: string}}}}
      responses: {'200': {description: ok}}
  /events:
    get:
      operationId: watch
      security: []
      responses: {'200': {description: ok, content: {text/event-stream: {schema: {type: object}}}}}
  /blob:
    put:
      operationId: putBlob
      security: []
      requestBody: {content: {application/octet-stream: {schema: {type: string, format: binary}}}}
      responses: {'200': {description: ok, content: {image/png: {}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    user: {type: http, scheme: basic}
    token: {type: http, scheme: bearer}
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties:
        id: {type: string, readOnly: true}
        name: {type: string, nullable: true}
        weight: {type: number, minimum: 0, exclusiveMinimum: true, example: 3}
        parent: {$ref: '#/components/schemas/Pet', description: ignored}
    Problem: {type: object, properties: {detail: {type: string}}}
)";

class OpenApi : public testing::Test {
 protected:
  ImportedOperations import(std::string_view text) { return import_openapi_text(text, server.fetch(), options); }

  void serve(std::string_view text) {
    options.visibility = call::Visibility::kExternal;
    imported = import(text);
    node.registry->curated().add(imported.registrations);
  }
  const call::OperationSpec& spec(std::string_view name) {
    for (const auto& registration : imported.registrations) {
      if (registration.spec.name == name) return registration.spec;
    }
    throw std::runtime_error("no operation " + std::string(name));
  }
  void add_secret(std::string name, std::string_view value) {
    options.capabilities.add(std::move(name), std::make_shared<call::Secret>(value));
  }
  std::string call(std::string name, std::string_view input) { return json_text(node.call(std::move(name), input)); }
  Error error_in(std::string name, std::string_view input) {
    return error_of([&] { call(std::move(name), input); });
  }
  const SeenRequest& last() { return server.last(); }

  GivenAnswer answer = json_answer("null");
  FakeServer server{[this](const SeenRequest&) { return answer; }};
  OpenApiOptions options{.name_space = "pets"};
  ImportedOperations imported;
  call::TestNode node;
};

TEST_F(OpenApi, MakesOneOperationForEachPathAndMethod) {
  serve(kPets);
  std::vector<std::string> names;
  for (const auto& registration : imported.registrations) {
    names.push_back(registration.spec.name + " " + std::string(operation_type_name(registration.spec.type)));
    EXPECT_EQ(registration.provenance, call::Provenance::kFromOpenApi);
  }
  EXPECT_THAT(names, ElementsAre("pets/getPet query", "pets/put_pets_petId mutation", "pets/pets/add_photo mutation",
                                 "pets/login mutation", "pets/watch subscription", "pets/putBlob mutation"));
  EXPECT_THAT(imported.origins, ElementsAre("https://eu.example.com"));
  EXPECT_THAT(imported.capabilities, ElementsAre("key", "token", "user"));
  EXPECT_EQ(spec("pets/getPet").title, "One pet");
  EXPECT_EQ(spec("pets/getPet").version, "1.2.3");
  EXPECT_EQ(import(kPets).registrations[0].spec.visibility, call::Visibility::kExternal);
  options = {.name_space = "pets"};
  EXPECT_EQ(import(kPets).registrations[0].spec.visibility, call::Visibility::kInternal);
}

TEST_F(OpenApi, MergesParametersAndBodyIntoOneSchema) {
  serve(kPets);
  EXPECT_EQ(json_text(spec("pets/getPet").input_schema),
            R"({"type":"object","properties":{"fields":{"type":"array","items":{"type":"string"}},)"
            R"("X-Trace":{"type":"string"},"flavour":{"type":"string"},"petId":{"type":"integer"},)"
            R"("path_petId":{"type":"string"}},"required":["path_petId"],"additionalProperties":false})");
  const Json& put = spec("pets/put_pets_petId").input_schema;
  EXPECT_EQ(json_text(put.at("required")), R"(["petId","body"])");
  EXPECT_EQ(json_text(put.at("properties").at("body")), R"({"$ref":"#/$defs/Pet"})");
}

TEST_F(OpenApi, TranslatesSchemasOf30) {
  serve(kPets);
  const Json& input = spec("pets/put_pets_petId").input_schema.at("$defs").at("Pet");
  EXPECT_EQ(json_text(input),
            R"({"type":"object","required":["name"],"properties":{"id":{"type":"string","readOnly":true},)"
            R"("name":{"type":["string","null"]},"weight":{"type":"number","exclusiveMinimum":0,"examples":[3]},)"
            R"("parent":{"$ref":"#/$defs/Pet"}}})");
  const Json& output = spec("pets/getPet").output_schema;
  EXPECT_EQ(json_text(output.at("$defs").at("Pet").at("required")), R"(["id","name"])");
}

TEST_F(OpenApi, DeclaresAnErrorForEachOtherStatus) {
  serve(kPets);
  const auto& errors = spec("pets/getPet").errors;
  ASSERT_EQ(errors.size(), 4U);  // and UNAUTHORIZED and TRANSPORT
  EXPECT_EQ(errors[0].code, "HTTP_404");
  EXPECT_EQ(errors[0].http_status, 404);
  EXPECT_EQ(
      json_text(errors[0].schema),
      R"({"$ref":"#/$defs/Problem","$defs":{"Problem":{"type":"object","properties":{"detail":{"type":"string"}}}}})");
  EXPECT_EQ(errors[1].code, "HTTP_5XX");
}

TEST_F(OpenApi, SendsParametersWhereTheyBelong) {
  add_secret("key", "sesame");
  options.trust_other_origins = true;
  serve(kPets);
  answer = json_answer(R"({"id":"a","name":null})");
  EXPECT_EQ(
      call("pets/getPet", R"({"path_petId":"a/b c","petId":7,"fields":["x","y&z"],"X-Trace":"t1","flavour":"a;b"})"),
      R"({"id":"a","name":null})");
  EXPECT_EQ(last().method, "GET");
  EXPECT_EQ(last().url, "https://eu.example.com/v1/pets/a%2Fb%20c?fields=x&fields=y%26z&petId=7");
  EXPECT_EQ(last().headers.get("X-Trace"), "t1");
  EXPECT_EQ(last().headers.get("Cookie"), "flavour=a%3Bb");
  EXPECT_EQ(last().headers.get("X-Key"), "sesame");
  EXPECT_EQ(last().headers.get("Accept"), "application/json");
}

TEST_F(OpenApi, SendsJsonFormsAndBytes) {
  add_secret("key", "k");
  add_secret("user", "me:secret");
  options.trust_other_origins = true;
  serve(kPets);
  answer = json_answer("", 204);
  EXPECT_EQ(call("pets/put_pets_petId", R"({"petId":"1","body":{"name":"Rex"}})"), "null");
  EXPECT_EQ(last().body, R"({"name":"Rex"})");
  EXPECT_EQ(last().headers.get("Content-Type"), "application/json");

  call("pets/login", R"({"body":{"name":"a b&c","roles":["x","y"]}})");
  EXPECT_EQ(last().body, "name=a%20b%26c&roles=x&roles=y");
  EXPECT_EQ(last().headers.get("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(last().headers.get("Authorization"), "Basic bWU6c2VjcmV0");

  answer = {200, "image/png", {"\x89PNG"}};
  Message blob = node.call("pets/putBlob", call::json_message(R"({"body":"aGVsbG8="})"));
  EXPECT_EQ(last().body, "hello");
  EXPECT_EQ(last().headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(attached_bytes(blob, blob.value).text(), "\x89PNG");
}

TEST_F(OpenApi, SendsMultipartForms) {
  serve(kPets);
  answer = {200, "text/plain", {"th", "anks"}};
  EXPECT_EQ(call("pets/pets/add_photo",
                 R"({"petId":"1","body":{"caption":"hi","photo":"aGVsbG8=","more":["YQ==","Yg=="],"place":{"x":1}}})"),
            R"("thanks")");
  const std::string type(last().headers.get("Content-Type").value());
  ASSERT_THAT(type, HasSubstr("multipart/form-data; boundary="));
  const std::string boundary = "--" + type.substr(type.find('=') + 1);
  const auto part = [&](const std::string& head, const std::string& body) {
    return boundary + "\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + body + "\r\n";
  };
  EXPECT_EQ(last().body, part("name=\"caption\"", "hi") +
                             part("name=\"photo\"; filename=\"photo\"\r\nContent-Type: image/png", "hello") +
                             part("name=\"more\"; filename=\"more\"\r\nContent-Type: application/octet-stream", "a") +
                             part("name=\"more\"; filename=\"more\"\r\nContent-Type: application/octet-stream", "b") +
                             part("name=\"place\"\r\nContent-Type: application/json", R"({"x":1})") + boundary +
                             "--\r\n");
}

TEST_F(OpenApi, OtherStatusesAreDomainErrors) {
  add_secret("key", "k");
  options.trust_other_origins = true;
  serve(kPets);
  answer = json_answer(R"({"detail":"gone"})", 404);
  Error error = error_in("pets/getPet", R"({"path_petId":"1"})");
  EXPECT_EQ(call::wire_code(error), "HTTP_404");
  EXPECT_EQ(json_text(error.details().at("details")), R"({"detail":"gone"})");
  answer = {503, "text/html", {"<p>busy"}};
  error = error_in("pets/getPet", R"({"path_petId":"1"})");
  EXPECT_EQ(call::wire_code(error), "HTTP_5XX");
  EXPECT_EQ(error.details().at("retryable"), Json(true));
  answer = json_answer("", 401);
  EXPECT_EQ(call::wire_code(error_in("pets/getPet", R"({"path_petId":"1"})")), "UNAUTHORIZED");
  answer = json_answer("{", 200);
  EXPECT_EQ(call::wire_code(error_in("pets/getPet", R"({"path_petId":"1"})")), "TRANSPORT");
  answer = json_answer("", 302);
  EXPECT_EQ(error_in("pets/getPet", R"({"path_petId":"1"})").code(), CallError::kInternal);
}

TEST_F(OpenApi, EventStreamsAreSubscriptions) {
  serve(kPets);
  answer = {200, "text/event-stream", {"data: {\"a\"", ":1}\n\ndata: plain\n\n: comment\n\n", "data: cut off"}};
  auto items = node.dispatcher->subscribe(node.owner, call::TestNode::request("pets/watch", {JsonObject{}, {}}));
  const auto collect = [](AsyncGenerator<Message> stream) -> Task<std::string> {
    std::string text;
    while (auto item = co_await stream.next()) text += json_text(item->value) + ";";
    co_return text;
  };
  const Error broken = error_of([&] { (void)run_until_done(node.executor, collect(std::move(items))); });
  // The second event is a string, which the document does not allow.
  EXPECT_THAT(broken.message(), HasSubstr("breaks its schema"));
  EXPECT_EQ(last().headers.get("Accept"), "text/event-stream");
}

TEST_F(OpenApi, NeverSendsASecretThatIsMissingOrToForeignHosts) {
  serve(kPets);
  EXPECT_EQ(call::wire_code(error_in("pets/getPet", R"({"path_petId":"1"})")), "UNAUTHORIZED");
  EXPECT_THAT(error_in("pets/login", "{}").message(), HasSubstr("`user`, or `token`"));
  EXPECT_TRUE(server.seen().empty());
  add_secret("key", "k");
  options.document_url = "https://docs.example.org/openapi.yaml";
  const auto foreign = import(kPets);
  EXPECT_THAT(foreign.other_origins, ElementsAre("https://eu.example.com"));
  EXPECT_THAT(foreign.notes, testing::Contains(HasSubstr("get no secrets")));
  EXPECT_EQ(foreign.registrations[0].capabilities.find("key"), nullptr);
  options.server_url = "https://eu.example.com/v2";
  const auto trusted = import(kPets);
  EXPECT_TRUE(trusted.other_origins.empty());
  EXPECT_NE(trusted.registrations[0].capabilities.find("key"), nullptr);
  EXPECT_EQ(trusted.registrations[2].capabilities.find("key"), nullptr);  // which needs none
}

TEST_F(OpenApi, SecretsDoNotTravelInPlainText) {
  add_secret("key", "k");
  options.server_url = "http://api.example.com";
  serve(kPets);
  EXPECT_THAT(error_in("pets/getPet", R"({"path_petId":"1"})").message(), HasSubstr("plain text"));
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(OpenApi, InputsCannotLeaveTheirPlace) {
  serve(kPets);
  answer = {200, "text/plain", {"x"}};
  for (const char* id : {"..", ".", "%2e%2e", ""}) {
    const std::string input = R"({"petId":")" + std::string(id) + R"(","body":{}})";
    const std::string code = code_of([&] { call("pets/pets/add_photo", input); });
    EXPECT_EQ(code, std::string(id) == "%2e%2e" ? "no error" : "invalid_input") << id;
  }
  EXPECT_THAT(last().url, HasSubstr("/pets/%252e%252e/photo"));
  options = {.name_space = "other", .server_url = "https://h", .visibility = call::Visibility::kExternal};
  add_secret("key", "k");
  node.registry->curated().add(import(kPets).registrations);
  const Error error = error_in("other/getPet", R"({"path_petId":"1","X-Trace":"a\r\nX-Evil: 1"})");
  EXPECT_EQ(error.code(), CallError::kInvalidInput);
}

TEST_F(OpenApi, ServersFollowVariablesOptionsAndTheDocument) {
  const auto origin = [&](std::string_view servers) {
    const std::string text = "{openapi: 3.1.0, paths: {/a: {get: {}}}, servers: " + std::string(servers) + "}";
    return import(text).origins.at(0);
  };
  options.server_variables["region"] = "us";
  EXPECT_THAT(import(kPets).origins, ElementsAre("https://us.example.com"));
  options.server_variables["region"] = "mars";
  EXPECT_EQ(code_of([&] { import(kPets); }), "discovery_failed");
  EXPECT_EQ(code_of([&] { origin("[{url: /v1}]"); }), "discovery_failed");
  EXPECT_EQ(code_of([&] { origin("[]"); }), "discovery_failed");
  EXPECT_EQ(code_of([&] { origin("[{url: 'ftp://x'}]"); }), "discovery_failed");
  EXPECT_EQ(code_of([&] { origin("[{url: 'https://{x}/'}]"); }), "schema_parse");
  options.document_url = "https://here.example/api/doc.json";
  EXPECT_EQ(origin("[{url: ../v1}]"), "https://here.example");
  EXPECT_EQ(origin("[{url: 'http://127.0.0.1:81'}]"), "http://127.0.0.1:81");
}

TEST_F(OpenApi, ReadsSchemasOf31AsTheyAre) {
  options.server_url = "https://h";
  const auto made =
      import(R"json({"openapi":"3.1.0","paths":{"/a/{b}":{"post":{"requestBody":{"content":{"application/json":
    {"schema":{"$ref":"#/components/schemas/A","description":"kept","minProperties":1}}}},
    "responses":{"default":{"description":"x","content":{"application/vnd.x+json":{"schema":{"type":["string","null"],
      "const":"a","TypeDef:Tensor":{}}}}}}}}},"components":{"schemas":{"A":{"$defs":{"x":{"type":"integer"}},
      "properties":{"p":{"$ref":"#/components/schemas/A/$defs/x"},"q":{"pattern":"(?=a)"}}}}}})json");
  const auto& spec = made.registrations.at(0).spec;
  EXPECT_EQ(spec.name, "pets/post_a_b");
  EXPECT_EQ(json_text(spec.input_schema.at("properties").at("body")),
            R"({"$ref":"#/$defs/A","description":"kept","minProperties":1})");
  EXPECT_EQ(json_text(spec.input_schema.at("$defs")),
            R"({"A":{"properties":{"p":{"$ref":"#/$defs/x"},"q":{}}},"x":{"type":"integer"}})");
  EXPECT_EQ(json_text(spec.output_schema), R"({"type":["string","null"],"const":"a"})");
  EXPECT_EQ(spec.errors.at(0).code, "HTTP_DEFAULT");
  EXPECT_THAT(made.notes, testing::Contains(HasSubstr("linear time")));
  EXPECT_THAT(made.notes, testing::Contains(HasSubstr("path parameter b")));
  EXPECT_NO_THROW(call::Operation(made.registrations.at(0)));
}

TEST_F(OpenApi, RefusesMalformedAndHostileDocuments) {
  options.server_url = "https://h";
  for (const char* text : {
           "",
           "[]",
           "{swagger: '2.0'}",
           "{openapi: 3.2.0}",
           "{openapi: 3.0.0, paths: []}",
           "{openapi: 3.0.0, paths: {a: {}}}",
           "{openapi: 3.0.0, paths: {/a: {$ref: 'http://evil/x.yaml'}}}",
           "{openapi: 3.0.0, paths: {/a: {$ref: '#/paths/~1b'}, /b: {$ref: '#/paths/~1a'}}}",
           "{openapi: 3.0.0, paths: {/a: {$ref: '#/nowhere'}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {parameters: [{name: x, in: body}]}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {parameters: [{in: query}]}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {parameters: [{name: x, in: query, schema: {$ref: "
           "'other.yaml#/X'}}]}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {parameters: [{name: x, in: query, schema: 7}]}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {security: [{none: []}]}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {security: [{k: []}]}}}, components: {securitySchemes: {k: {type: "
           "apiKey, "
           "in: header, name: Host}}}}",
           "{openapi: 3.0.0, paths: {/a: {post: {requestBody: {content: {application/json: text}}}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {parameters: [{name: x, in: query, content: {a/json: 7}}]}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {responses: {200: {content: {application/json: []}}}}}}}",
           "{openapi: 3.0.0, paths: {/a: {get: {responses: {400: {content: {application/json: false}}}}}}}",
           "{openapi: 3.0.0, paths: {/a: {post: {requestBody: {content: {\"a/b\\r\\nX: y\": {}}}}}}}",
       }) {
    EXPECT_EQ(code_of([&] { import(text); }), "schema_parse") << text;
  }
  const Error error = error_of([&] { import("{openapi: 3.0.0, paths: {/a: {$ref: 'http://evil/x.yaml'}}}"); });
  EXPECT_THAT(error.message(), HasSubstr("nothing is fetched"));
  EXPECT_EQ(error.details().at("pointer"), Json("/paths/~1a"));
}

TEST_F(OpenApi, MediaTypesMaySayNothingAndFormsAreNeverNull) {
  options.server_url = "https://h";
  const auto made = import(R"({openapi: 3.0.0, paths: {/a: {post: {
    requestBody: {content: {multipart/form-data: {schema: {
      nullable: true, properties: {file: {type: string, format: binary}, size: {type: integer}}}}}},
    responses: {200: {content: {application/json: }}}}}}})");
  const auto& spec = made.registrations.at(0).spec;
  EXPECT_EQ(spec.input_schema.at_pointer("/properties/body/properties/file/TypeDef:Bytes"), Json(true));
  EXPECT_EQ(spec.output_schema, Json(JsonObject{}));
  EXPECT_NO_THROW(call::Operation(made.registrations.at(0)));
}

TEST_F(OpenApi, SchemasMayReferToThemselvesButNotAtOnce) {
  options.server_url = "https://h";
  const auto operation_for = [&](const std::string& schema) {
    const auto made = import(
        "{openapi: 3.0.0, paths: {/a: {get: {responses: {200: {content: {application/json: {schema: {$ref: "
        "'#/components/schemas/A'}}}}}}}}, components: {schemas: {A: " +
        schema + "}}}");
    (void)call::Operation(made.registrations.at(0));
  };
  EXPECT_NO_THROW(operation_for("{type: array, items: {$ref: '#/components/schemas/A'}}"));
  EXPECT_EQ(code_of([&] { operation_for("{$ref: '#/components/schemas/A'}"); }), "operation_invalid");
}

TEST_F(OpenApi, IsFetchedWithItsUrlAsHome) {
  const auto fetch = [&] {
    return run_until_done(node.executor, fetch_openapi(server.fetch(), "https://h.example/doc", options));
  };
  answer = {200, "application/yaml", {"{openapi: 3.0.0, paths: {/a: {get: {}}}, servers: [{url: /v1}]}"}};
  EXPECT_THAT(fetch().origins, ElementsAre("https://h.example"));
  answer = json_answer("", 404);
  EXPECT_EQ(code_of(fetch), "discovery_failed");
  answer = json_answer("", 401);
  EXPECT_EQ(code_of(fetch), "unauthorized");
  answer = json_answer("{");
  EXPECT_EQ(code_of(fetch), "schema_parse");
}

}  // namespace
}  // namespace alknet::net
