#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::app {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
};

struct Point {
  double x = 0, y = 0;
};

enum class Anchor : std::uint8_t { kStart, kMiddle, kEnd };

/// Shapes on a white page, in units of SVG pixels, y downwards; later ones cover earlier ones. The same drawing as SVG
/// and as PNG. Texts are printable ASCII; other characters become "?" in a PNG.
class Drawing {
 public:
  Drawing(double width, double height) : width_(width), height_(height) {}

  void rectangle(Point corner, double width, double height, Color fill);
  /// Points joined by straight lines; a part whose coordinates are not finite is left out.
  void line(std::vector<Point> points, double stroke_width, Color color);
  /// `at` is on the baseline; `size` is the height of an em. `upwards` turns it to run from bottom to top.
  void text(Point at, double size, std::string_view text, Color color, Anchor anchor = Anchor::kStart,
            bool upwards = false);

  /// A whole SVG 1.1 document.
  std::string svg() const;

  /// A whole PNG file (RGB, 8 bits), `scale` pixels a unit. Throws Error `internal` when compression fails.
  std::string png(double scale = 2) const;

 private:
  struct Shape {
    enum class Kind : std::uint8_t { kRectangle, kLine, kText };
    Kind kind = Kind::kRectangle;
    std::vector<Point> points;  ///< Rectangle: two corners. Text: one.
    double size = 0;            ///< Stroke width or em.
    Color color;
    std::string text = {};
    Anchor anchor = Anchor::kStart;
    bool upwards = false;
  };

  double width_, height_;
  std::vector<Shape> shapes_;
};

}  // namespace alknet::app
