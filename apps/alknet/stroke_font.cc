#include "apps/alknet/stroke_font.h"

#include <algorithm>
#include <array>

namespace alknet::app {
namespace {

/// A grid unit in ems: capitals are 6 units high.
constexpr double kUnit = 0.115;
constexpr int kBaseline = 6;
constexpr int kGap = 2;  ///< Units between characters.
constexpr int kSpace = 2;

/// Strokes with spaces between, of points "xy" on a grid: y is 0 at the top of capitals, 6 on the baseline, 8 below it.
struct Glyph {
  char character;
  std::string_view strokes;
};
constexpr std::array kGlyphs = {
    Glyph{'?', "01103041422324 2626"},
    Glyph{'0', "103041453616050110"},
    Glyph{'1', "112026 1636"},
    Glyph{'2', "01103041420646"},
    Glyph{'3', "0110304142334445361605 1333"},
    Glyph{'4', "36300444"},
    Glyph{'5', "400002324345361605"},
    Glyph{'6', "413010010516364544331304"},
    Glyph{'7', "004016"},
    Glyph{'8', "103041423313020110 133344453616050413"},
    Glyph{'9', "423313020110304145361605"},
    Glyph{'a', "4332120305163645 4246"},
    Glyph{'b', "0006 0312324345361605"},
    Glyph{'c', "4332120305163645"},
    Glyph{'d', "4046 4332120305163645"},
    Glyph{'e', "04444332120305163645"},
    Glyph{'f', "30201116 0232"},
    Glyph{'g', "4332120305163645 4247381807"},
    Glyph{'h', "0006 0312324346"},
    Glyph{'i', "0206 0000"},
    Glyph{'j', "121708 1010"},
    Glyph{'k', "0006 3205 1436"},
    Glyph{'l', "0006"},
    Glyph{'m', "0206 03122326 23324346"},
    Glyph{'n', "0206 0312324346"},
    Glyph{'o', "123243453616050312"},
    Glyph{'p', "0208 0312324345361605"},
    Glyph{'q', "4248 4332120305163645"},
    Glyph{'r', "0206 031232"},
    Glyph{'s', "43321203143445361605"},
    Glyph{'t', "10152636 0232"},
    Glyph{'u', "0205163645 4246"},
    Glyph{'v', "022642"},
    Glyph{'w', "0216233642"},
    Glyph{'x', "0246 4206"},
    Glyph{'y', "0226 4218"},
    Glyph{'z', "02420646"},
    Glyph{'A', "062046 1434"},
    Glyph{'B', "0006 003041423303 3344453606"},
    Glyph{'C', "4130100105163645"},
    Glyph{'D', "00304145360600"},
    Glyph{'E', "40000646 0333"},
    Glyph{'F', "400006 0333"},
    Glyph{'G', "4130100105163645 454323"},
    Glyph{'H', "0006 4046 0343"},
    Glyph{'I', "0006"},
    Glyph{'J', "3035261605"},
    Glyph{'K', "0006 4004 1346"},
    Glyph{'L', "000646"},
    Glyph{'M', "0600234046"},
    Glyph{'N', "06004640"},
    Glyph{'O', "103041453616050110"},
    Glyph{'P', "06003041423303"},
    Glyph{'Q', "103041453616050110 2446"},
    Glyph{'R', "06003041423303 2346"},
    Glyph{'S', "413010010213334445361605"},
    Glyph{'T', "0040 2026"},
    Glyph{'U', "000516364540"},
    Glyph{'V', "002640"},
    Glyph{'W', "0016233640"},
    Glyph{'X', "0046 4006"},
    Glyph{'Y', "002340 2326"},
    Glyph{'Z', "00400646"},
    Glyph{' ', ""},
    Glyph{'.', "0606"},
    Glyph{',', "0607"},
    Glyph{':', "0303 0606"},
    Glyph{'-', "0333"},
    Glyph{'+', "0343 2125"},
    Glyph{'=', "0242 0444"},
    Glyph{'/', "0640"},
    Glyph{'|', "0007"},
    Glyph{'_', "0747"},
    Glyph{'(', "10020416"},
    Glyph{')', "00121406"},
    Glyph{'[', "10000616"},
    Glyph{']', "00101606"},
    Glyph{'<', "410345"},
    Glyph{'>', "014305"},
    Glyph{'%', "0640 0010110100 3545463635"},
};

/// The glyph of a character; that of "?" where there is none.
const Glyph& glyph_of(char character) {
  const auto found =
      std::find_if(kGlyphs.begin(), kGlyphs.end(), [&](const Glyph& glyph) { return glyph.character == character; });
  return found == kGlyphs.end() ? kGlyphs.front() : *found;
}

int grid(char digit) { return digit - '0'; }

int glyph_width(const Glyph& glyph) {
  if (glyph.strokes.empty()) return kSpace;
  int width = 0;
  for (std::size_t i = 0; i < glyph.strokes.size(); i += glyph.strokes[i] == ' ' ? 1 : 2) {
    if (glyph.strokes[i] != ' ') width = std::max(width, grid(glyph.strokes[i]));
  }
  return width;
}

}  // namespace

std::vector<std::vector<Point>> text_strokes(std::string_view text) {
  std::vector<std::vector<Point>> strokes;
  int left = 0;
  for (const char character : text) {
    const Glyph& glyph = glyph_of(character);
    if (!glyph.strokes.empty()) strokes.emplace_back();
    for (std::size_t i = 0; i < glyph.strokes.size();) {
      if (glyph.strokes[i] == ' ') {
        strokes.emplace_back();
        ++i;
        continue;
      }
      strokes.back().push_back(
          {(left + grid(glyph.strokes[i])) * kUnit, (grid(glyph.strokes[i + 1]) - kBaseline) * kUnit});
      i += 2;
    }
    left += glyph_width(glyph) + kGap;
  }
  return strokes;
}

double text_width(std::string_view text) {
  int width = 0;
  for (const char character : text) width += glyph_width(glyph_of(character)) + kGap;
  return text.empty() ? 0 : (width - kGap) * kUnit;
}

}  // namespace alknet::app
