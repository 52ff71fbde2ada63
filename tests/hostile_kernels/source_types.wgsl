// Types that grow with every line.
// expects: SHADER_INVALID
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
alias a = array<array<array<array<array<array<u32, 65535>, 65535>, 65535>, 65535>, 65535>, 65535>;
var<private> big: a;
@compute @workgroup_size(64) fn main() { y[0] = f32(big[0][0][0][0][0][u32(x[0])]); }
