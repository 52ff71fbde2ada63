"""The operations of gateway_mock.py: some as a node has them, some to try the page's limits."""

MARKUP = "<img src=x onerror=\"document.title='injected'\"><script>document.title='injected'</script>"

TENSOR = {"TypeDef:Tensor": {"dtype": "F32", "shape": [-1, -1]}, "type": "object"}
PLACE = {
    "type": "object",
    "properties": {
        "lat": {"TypeDef:Float64": True, "minimum": -90, "maximum": 90},
        "lon": {"TypeDef:Float64": True, "minimum": -180, "maximum": 180},
    },
    "required": ["lat", "lon"],
}


def spec(name, op_type, title, description, input_schema, output_schema, **more):
    return {
        "name": name,
        "namespace": name.split("/")[0],
        "op_type": op_type,
        "visibility": "external",
        "title": title,
        "description": description,
        "input_schema": input_schema,
        "output_schema": output_schema,
        "error_schemas": [],
        "access_control": {},
        **more,
    }


def struct_of(properties, required=(), **more):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


SPECS = [
    spec(
        "services/list",
        "query",
        "List operations",
        "The operations that you may call.",
        struct_of({"prefix": {"type": "string"}, "query": {"type": "string"}}),
        struct_of({"operations": {"type": "array"}}),
        tags=["discovery"],
    ),
    spec(
        "services/schema",
        "query",
        "Describe an operation",
        "The full specification of one operation.",
        struct_of({"name": {"type": "string"}}, ["name"]),
        {"type": "object"},
        tags=["discovery"],
    ),
    spec(
        "model/minilm/embed",
        "query",
        "Embed sentences",
        "Turns sentences into vectors of 384 numbers. Vectors of sentences that mean the same point the same way.",
        struct_of(
            {
                "sentences": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1, "maxLength": 512},
                    "minItems": 1,
                    "maxItems": 64,
                    "description": "What to embed, one vector each",
                },
                "normalize": {"type": "boolean", "default": True, "description": "Whether vectors have length 1"},
                "pooling": {"enum": ["mean", "cls", "max"], "default": "mean"},
            },
            ["sentences", "normalize"],
            examples=[{"sentences": ["A cat sits on the mat.", "A feline rests on a rug."], "normalize": True}],
        ),
        struct_of(
            {
                "model": {"type": "string"},
                "vectors": {
                    "type": "array",
                    "items": {"type": "array", "items": {"TypeDef:Float32": True}, "minItems": 384, "maxItems": 384},
                },
            }
        ),
        tags=["model", "text"],
        default_timeout_ms=30000,
        version="1.0",
        error_schemas=[
            {
                "code": "MODEL_NOT_LOADED",
                "description": "The model is not on this node.",
                "schema": {},
                "http_status": 503,
            },
            {
                "code": "OUT_OF_MEMORY",
                "description": "The batch does not fit the device.",
                "schema": {},
                "http_status": 507,
            },
        ],
    ),
    spec(
        "compute/create_tensor",
        "mutation",
        "Make a tensor",
        "A tensor of a dtype and shape from bytes. It lives until it is disposed of.",
        struct_of(
            {
                "dtype": {"enum": ["f32", "i32", "u8"]},
                "shape": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0},
                    "maxItems": 32,
                    "examples": [[2, 3]],
                },
                "data": {
                    "TypeDef:Bytes": True,
                    "type": "string",
                    "description": "Elements, row-major and little-endian",
                },
            },
            ["dtype", "shape", "data"],
        ),
        TENSOR,
        tags=["tensor"],
    ),
    spec(
        "compute/dispose",
        "mutation",
        "Let resources go",
        "Forgets handles.",
        struct_of(
            {
                "handles": {
                    "type": "array",
                    "items": {"anyOf": [{"type": "string", "title": "id"}, {**TENSOR, "title": "tensor"}]},
                }
            },
            ["handles"],
        ),
        {"type": "object"},
    ),
    spec("compute/devices", "query", "List devices", "What can compute here.", struct_of({}), {"type": "array"}),
    spec(
        "tensor/matmul",
        "query",
        "Multiply matrices",
        "The matrix product of two tensors.",
        struct_of({"a": {**TENSOR, "description": "[n, k]"}, "b": {**TENSOR, "description": "[k, m]"}}, ["a", "b"]),
        TENSOR,
        tags=["tensor", "linear algebra"],
    ),
    spec(
        "node/metrics",
        "subscription",
        "Watch the load",
        "The load of this node, many times a second.",
        struct_of(
            {
                "every_ms": {"TypeDef:Uint32": True, "minimum": 1, "maximum": 60000, "default": 20},
                "count": {"type": "integer", "minimum": 0, "description": "End after so many items"},
            },
            ["every_ms"],
        ),
        struct_of({"step": {"type": "integer"}, "load": {"TypeDef:Float32": True}, "calls": {"type": "integer"}}),
        tags=["metrics"],
    ),
    spec(
        "node/restart",
        "mutation",
        "Restart",
        "Only for administrators.",
        struct_of({}),
        {"type": "object"},
        access_control={"required_scopes": ["admin"]},
    ),
    spec("node/wait", "query", "Wait", "Answers when it is stopped.", struct_of({}), {"type": "object"}),
    spec(
        "test/kinds",
        "mutation",
        "Every kind of value",
        "Echoes its input.",
        struct_of(
            {
                "int8": {"TypeDef:Int8": True},
                "int64": {"TypeDef:Int64": True},
                "float": {"TypeDef:Float32": True},
                "flag": {"TypeDef:Boolean": True},
                "colour": {"TypeDef:Enum": True, "enum": ["red", "green"]},
                "text": {"type": "string", "pattern": "^a"},
                "data": {"TypeDef:Bytes": True},
                "time": {"TypeDef:Timestamp": True},
                "scores": {"TypeDef:Record": {"values": {"TypeDef:Int32": True}}},
                "place": PLACE,
                "list": {"type": "array", "items": PLACE},
                "sizes": {"type": "array", "items": {"type": "integer"}},
                "shape": {
                    "TypeDef:Union": {
                        "discriminator": "kind",
                        "mapping": {
                            "circle": {
                                "TypeDef:Struct": True,
                                "properties": {"r": {"TypeDef:Float32": True}},
                                "required": ["r"],
                            },
                            "square": {
                                "TypeDef:Struct": True,
                                "properties": {"a": {"TypeDef:Float32": True}},
                                "required": ["a"],
                            },
                        },
                    }
                },
                "either": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
                "any": True,
            },
            ["int8", "text"],
        ),
        True,
    ),
    spec(
        "test/fail",
        "mutation",
        "Fail",
        "Refuses its input.",
        struct_of({"x": {"type": "object", "properties": {"y": {"type": "integer"}}, "required": ["y"]}}, ["x"]),
        True,
    ),
    spec(
        "test/hostile",
        "query",
        MARKUP,
        MARKUP,
        {
            "$defs": {
                "Node": {
                    "type": "object",
                    "properties": {"next": {"$ref": "#/$defs/Node"}, "must": {"$ref": "#/$defs/Node"}},
                    "required": ["must"],
                    "title": MARKUP,
                }
            },
            "type": "object",
            "properties": {
                MARKUP: {"type": "string", "description": MARKUP, "enum": [MARKUP], "default": MARKUP},
                "__proto__": {"type": "integer"},
                "node": {"$ref": "#/$defs/Node"},
                "loop": {"$ref": "#/properties/loop"},
                "wide": {"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(5000)}},
            },
        },
        True,
        tags=[MARKUP],
        error_schemas=[{"code": MARKUP, "description": MARKUP, "schema": {}, "http_status": 500}],
    ),
]
