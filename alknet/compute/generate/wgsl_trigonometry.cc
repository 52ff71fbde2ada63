#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kTrigonometryHelpers[] = {
    {"reduce_angle(", R"(
struct Angle { rest: f32, quadrant: u32 }
// abs(x) less whole quarter turns: in three parts where that is exact, else by Payne and Hanek with 192 bits of 2/pi.
fn reduce_angle(x: f32) -> Angle {
  let a = abs(x);
  if (a < 8000.0) {
    let k = round(a * 0.636619772);
    return Angle(((a - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8, u32(k));
  }
  var bits = array<u32, 7>(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u);
  let m = ((bitcast<u32>(a) & 0x007fffffu) << 8u) | 0x80000000u;
  let e = ((bitcast<u32>(a) >> 23u) & 0xffu) - 126u;
  let i = e >> 5u;
  let s = e & 31u;
  var high = bits[i];
  var middle = bits[i + 1u];
  var low = bits[i + 2u];
  if (s != 0u) {
    high = (high << s) | (middle >> (32u - s));
    middle = (middle << s) | (low >> (32u - s));
    low = (low << s) | (bits[i + 3u] >> (32u - s));
  }
  let p = multiply_wide(m, middle);
  let carry = multiply_wide(m, low).x;
  let low_word = p.y + carry;
  var high_word = p.x + select(0u, 1u, low_word < carry) + m * high;
  var q = high_word >> 30u;
  high_word = high_word & 0x3fffffffu;
  if (high_word >= 0x20000000u) {
    high_word = high_word | 0xc0000000u;
    q += 1u;
  }
  return Angle((f32(bitcast<i32>(high_word)) * 4294967296.0 + f32(low_word)) * 3.40612158e-19, q);
}
)"},
    {"sine_part(", R"(
// Cephes' sinf and cosf between -pi/4 and pi/4.
fn sine_part(r: f32) -> f32 {
  let z = r * r;
  return ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
}
)"},
    {"cosine_part(", R"(
fn cosine_part(r: f32) -> f32 {
  let z = r * r;
  return ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
}
)"},
    {"safe_sin(", R"(
fn safe_sin(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return from_bits(0x7fc00000u); }
  let angle = reduce_angle(x);
  var y = sine_part(angle.rest);
  if ((angle.quadrant & 1u) != 0u) { y = cosine_part(angle.rest); }
  return select(y, -y, ((angle.quadrant & 2u) != 0u) != (x < 0.0));
}
)"},
    {"safe_cos(", R"(
fn safe_cos(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return from_bits(0x7fc00000u); }
  let angle = reduce_angle(x);
  var y = cosine_part(angle.rest);
  if ((angle.quadrant & 1u) != 0u) { y = sine_part(angle.rest); }
  return select(y, -y, ((angle.quadrant + 1u) & 2u) != 0u);
}
)"},
    {"safe_tan(", R"(
fn safe_tan(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return from_bits(0x7fc00000u); }
  let angle = reduce_angle(x);
  let s = sine_part(angle.rest);
  let c = cosine_part(angle.rest);
  var y = s / c;
  if ((angle.quadrant & 1u) != 0u) { y = -c / s; }
  return select(y, -y, x < 0.0);
}
)"},
    {"sine_part_of_turn(", R"(
// sin(pi x)
fn sine_part_of_turn(x: f32) -> f32 {
  let k = round(x);
  let y = safe_sin((x - k) * 3.14159274);
  return select(y, -y, (i32(k) & 1) != 0);
}
)"},
    {"asin_part(", R"(
// Cephes' asinf on [0, 0.5].
fn asin_part(x: f32) -> f32 {
  let z = x * x;
  return ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z
      + 1.6666752422e-1) * z * x + x;
}
)"},
    {"safe_asin(", R"(
fn safe_asin(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) { return from_bits(0x7fc00000u); }
  var y = asin_part(min(a, 0.5));
  if (a > 0.5) { y = 1.57079637 - 2.0 * asin_part(sqrt(0.5 * (1.0 - a))); }
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_acos(", R"(
fn safe_acos(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) { return from_bits(0x7fc00000u); }
  if (a <= 0.5) { return 1.57079637 - select(asin_part(a), -asin_part(a), x < 0.0); }
  let y = 2.0 * asin_part(sqrt(0.5 * (1.0 - a)));
  return select(y, 3.14159274 - y, x < 0.0);
}
)"},
    {"safe_atan(", R"(
// Cephes' atanf.
fn safe_atan(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  var a = abs(x);
  var y = 0.0;
  if (a > 2.414213562373095) {
    y = 1.57079637;
    a = -1.0 / a;
  } else if (a > 0.4142135623730950) {
    y = 0.785398163;
    a = (a - 1.0) / (a + 1.0);
  }
  let z = a * a;
  y = y + ((((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * a + a);
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_atan2(", R"(
fn safe_atan2(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return x + y; }
  let behind = (bitcast<u32>(x) & 0x80000000u) != 0u;
  var angle = 0.0;
  let ax = abs(x);
  let ay = abs(y);
  if (ay == 0.0) {
    angle = 0.0;
  } else if (is_infinite(x) && is_infinite(y)) {
    angle = 0.785398163;
  } else if (ay > ax) {
    angle = 1.57079637 - safe_atan(ax / ay);
  } else {
    angle = safe_atan(ay / ax);
  }
  return copysign(select(angle, 3.14159274 - angle, behind), y);
}
)"},
};

}  // namespace

std::span<const WgslHelper> wgsl_trigonometry_helpers() { return kTrigonometryHelpers; }

}  // namespace alknet::compute
