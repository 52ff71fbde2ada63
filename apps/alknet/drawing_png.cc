#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "alknet/base/error.h"
#include "apps/alknet/drawing.h"
#include "apps/alknet/stroke_font.h"

namespace alknet::app {
namespace {

constexpr double kTextStroke = 0.085;  ///< Of an em.

/// Pixels that shapes are blended onto with the part of each pixel that they cover.
class Canvas {
 public:
  Canvas(double width, double height)
      : width_(static_cast<std::size_t>(std::ceil(width))),
        height_(static_cast<std::size_t>(std::ceil(height))),
        pixels_(width_ * height_, Color{255, 255, 255}),
        coverage_(width_ * height_, 0.0f) {}

  std::size_t width() const { return width_; }
  std::size_t height() const { return height_; }
  const Color& pixel(std::size_t x, std::size_t y) const { return pixels_[y * width_ + x]; }

  void rectangle(Point low, Point high, Color color) {
    cover(low, high, [&](double x, double y) {
      const double across = std::min(high.x, x + 1) - std::max(low.x, x);
      const double down = std::min(high.y, y + 1) - std::max(low.y, y);
      return std::max(0.0, across) * std::max(0.0, down);
    });
    blend(low, high, color);
  }

  /// All strokes of one shape, so that where they cross they cover a pixel once.
  void strokes(std::span<const std::vector<Point>> lines, double width, Color color) {
    Point low{1e9, 1e9}, high{-1e9, -1e9};
    for (const auto& line : lines) {
      for (std::size_t i = 0; i < line.size(); ++i) {
        const Point& a = line[i];
        const Point& b = line[std::min(i + 1, line.size() - 1)];
        const double reach = width / 2 + 1;
        const Point from{std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach};
        const Point to{std::max(a.x, b.x) + reach, std::max(a.y, b.y) + reach};
        cover(from, to, [&](double x, double y) {
          return std::clamp(width / 2 + 0.5 - distance({x + 0.5, y + 0.5}, a, b), 0.0, 1.0);
        });
        low = {std::min(low.x, from.x), std::min(low.y, from.y)};
        high = {std::max(high.x, to.x), std::max(high.y, to.y)};
      }
    }
    blend(low, high, color);
  }

 private:
  static double distance(Point p, Point a, Point b) {
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double length = dx * dx + dy * dy;
    const double along = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0.0;
    return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
  }

  /// The pixels between two corners, inside the canvas.
  template <typename Visit>
  void visit(Point low, Point high, const Visit& visit_pixel) {
    const auto inside = [](double value, std::size_t size) {
      return static_cast<std::size_t>(std::clamp(value, 0.0, static_cast<double>(size)));
    };
    const std::size_t right = inside(std::ceil(high.x), width_), bottom = inside(std::ceil(high.y), height_);
    for (std::size_t y = inside(std::floor(low.y), height_); y < bottom; ++y) {
      for (std::size_t x = inside(std::floor(low.x), width_); x < right; ++x) visit_pixel(x, y);
    }
  }

  template <typename Part>
  void cover(Point low, Point high, const Part& part) {
    visit(low, high, [&](std::size_t x, std::size_t y) {
      float& covered = coverage_[y * width_ + x];
      covered = std::max(covered, static_cast<float>(part(static_cast<double>(x), static_cast<double>(y))));
    });
  }

  void blend(Point low, Point high, Color color) {
    visit(low, high, [&](std::size_t x, std::size_t y) {
      const float part = std::exchange(coverage_[y * width_ + x], 0.0f);
      Color& pixel = pixels_[y * width_ + x];
      const auto mix = [&](std::uint8_t& to, std::uint8_t from) {
        to = static_cast<std::uint8_t>(
            std::lround(static_cast<float>(to) * (1 - part) + static_cast<float>(from) * part));
      };
      mix(pixel.red, color.red);
      mix(pixel.green, color.green);
      mix(pixel.blue, color.blue);
    });
  }

  std::size_t width_, height_;
  std::vector<Color> pixels_;
  std::vector<float> coverage_;  ///< Of the shape being drawn.
};

void append_u32(std::string& out, std::size_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift & 0xff);
}

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

void append_chunk(std::string& png, std::string_view type, std::string_view data) {
  append_u32(png, data.size());
  const std::size_t begin = png.size();
  png += type;
  png += data;
  append_u32(png, crc32(0, bytes_of(png) + begin, static_cast<uInt>(png.size() - begin)));
}

std::string encode_png(const Canvas& canvas) {
  std::string rows;
  rows.reserve(canvas.height() * (1 + 3 * canvas.width()));
  for (std::size_t y = 0; y < canvas.height(); ++y) {
    rows += '\0';  // no filter
    for (std::size_t x = 0; x < canvas.width(); ++x) {
      const Color& pixel = canvas.pixel(x, y);
      for (const std::uint8_t part : {pixel.red, pixel.green, pixel.blue}) rows += static_cast<char>(part);
    }
  }
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, bytes_of(rows), rows.size(), 9) != Z_OK) {
    throw Error(BaseError::kInternal, "the picture could not be compressed");
  }
  packed.resize(size);
  std::string header;
  append_u32(header, canvas.width());
  append_u32(header, canvas.height());
  header += std::string_view("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB, deflate, no interlace
  std::string png = "\x89PNG\r\n\x1a\n";
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", packed);
  append_chunk(png, "IEND", "");
  return png;
}

}  // namespace

std::string Drawing::png(double scale) const {
  Canvas canvas(width_ * scale, height_ * scale);
  const auto scaled = [&](Point point) { return Point{point.x * scale, point.y * scale}; };
  for (const Shape& shape : shapes_) {
    switch (shape.kind) {
      case Shape::Kind::kRectangle:
        canvas.rectangle(scaled(shape.points[0]), scaled(shape.points[1]), shape.color);
        break;
      case Shape::Kind::kLine: {
        std::vector<Point> points;
        for (const Point& point : shape.points) points.push_back(scaled(point));
        canvas.strokes(std::array{std::move(points)}, shape.size * scale, shape.color);
        break;
      }
      case Shape::Kind::kText: {
        const double em = shape.size * scale;
        const double part = shape.anchor == Anchor::kStart ? 0 : shape.anchor == Anchor::kMiddle ? 0.5 : 1;
        const double shift = -part * text_width(shape.text);
        const Point at = scaled(shape.points[0]);
        auto strokes = text_strokes(shape.text);
        for (auto& stroke : strokes) {
          for (Point& point : stroke) {
            const Point turned = shape.upwards ? Point{point.y, -(point.x + shift)} : Point{point.x + shift, point.y};
            point = {at.x + turned.x * em, at.y + turned.y * em};
          }
        }
        canvas.strokes(strokes, em * kTextStroke, shape.color);
        break;
      }
    }
  }
  return encode_png(canvas);
}

}  // namespace alknet::app
