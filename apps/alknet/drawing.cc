#include "apps/alknet/drawing.h"

#include <fmt/format.h>

#include <cmath>

namespace alknet::app {
namespace {

std::string hex_color(Color color) { return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue); }

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      default: escaped += character;
    }
  }
  return escaped;
}

std::string_view anchor_name(Anchor anchor) {
  return anchor == Anchor::kStart ? "start" : anchor == Anchor::kMiddle ? "middle" : "end";
}

}  // namespace

void Drawing::rectangle(Point corner, double width, double height, Color fill) {
  shapes_.push_back({Shape::Kind::kRectangle, {corner, {corner.x + width, corner.y + height}}, 0, fill});
}

void Drawing::line(std::vector<Point> points, double stroke_width, Color color) {
  std::vector<Point> part;
  const auto end_part = [&] {
    if (!part.empty()) shapes_.push_back({Shape::Kind::kLine, std::move(part), stroke_width, color});
    part = {};
  };
  for (const Point& point : points) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) {
      part.push_back(point);
    } else {
      end_part();
    }
  }
  end_part();
}

void Drawing::text(Point at, double size, std::string_view text, Color color, Anchor anchor, bool upwards) {
  shapes_.push_back({Shape::Kind::kText, {at}, size, color, std::string(text), anchor, upwards});
}

std::string Drawing::svg() const {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
      width_, height_);
  for (const Shape& shape : shapes_) {
    const Point& first = shape.points.front();
    switch (shape.kind) {
      case Shape::Kind::kRectangle:
        out +=
            fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n", first.x,
                        first.y, shape.points[1].x - first.x, shape.points[1].y - first.y, hex_color(shape.color));
        break;
      case Shape::Kind::kLine:
        out += fmt::format(
            "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\" "
            "stroke-linejoin=\"round\" points=\"",
            hex_color(shape.color), shape.size);
        for (const Point& point : shape.points) out += fmt::format("{:.2f},{:.2f} ", point.x, point.y);
        out += "\"/>\n";
        break;
      case Shape::Kind::kText:
        out += fmt::format(
            "<text x=\"{0:.2f}\" y=\"{1:.2f}\" font-size=\"{2}\" fill=\"{3}\" text-anchor=\"{4}\"{5}>{6}"
            "</text>\n",
            first.x, first.y, shape.size, hex_color(shape.color), anchor_name(shape.anchor),
            shape.upwards ? fmt::format(" transform=\"rotate(-90 {:.2f} {:.2f})\"", first.x, first.y) : "",
            escape_xml(shape.text));
        break;
    }
  }
  return out + "</svg>\n";
}

}  // namespace alknet::app
