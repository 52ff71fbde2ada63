// ImageBitmap and createImageBitmap (HTML Standard, section 8.10) for files in PNG, JPEG and WebP.
import { host, load } from "alknet:web";

const { Blob, blobBytes } = load("blobs");
const { dictionary, requireArguments } = load("webidl");

export const ImageBitmap = host.bitmapClass();

const kChoices = {
  imageOrientation: ["from-image", "none", "flipY"],
  premultiplyAlpha: ["default", "none", "premultiply"],
  colorSpaceConversion: ["default", "none"],
};

/** The value of an option, checked. */
function choice(options, key) {
  if (options[key] === undefined) return kChoices[key][0];
  const text = `${options[key]}`;
  if (!kChoices[key].includes(text)) throw new TypeError(`createImageBitmap: '${text}' is no value of ${key}`);
  return text;
}

function areaOf(given) {
  const [left, top, width, height] = given.map((value) => Number(value) | 0);
  if (width === 0 || height === 0) throw new RangeError("createImageBitmap: the area is empty");
  // Negative sizes go to the left and up.
  return [width < 0 ? left + width : left, height < 0 ? top + height : top, Math.abs(width), Math.abs(height)];
}

const isBitmap = (value) => typeof value === "object" && value !== null && value instanceof ImageBitmap;

export async function createImageBitmap(image, ...given) {
  requireArguments(arguments.length, 1, "createImageBitmap");
  if (given.length > 1 && given.length < 4) throw new TypeError("createImageBitmap: an area has four numbers");
  const area = given.length >= 4 ? areaOf(given.slice(0, 4)) : undefined;
  const options = dictionary(given.length >= 4 ? given[4] : given[0], "createImageBitmap options");
  choice(options, "colorSpaceConversion");
  const flip = choice(options, "imageOrientation") === "flipY";
  const multiply = choice(options, "premultiplyAlpha") === "premultiply";
  if (options.resizeWidth !== undefined || options.resizeHeight !== undefined) {
    throw new DOMException("createImageBitmap cannot resize here", "NotSupportedError");
  }
  if (!(image instanceof Blob) && !isBitmap(image)) {
    throw new TypeError("createImageBitmap: the image is neither a Blob nor an ImageBitmap");
  }
  if (isBitmap(image) && image.width === 0) throw new DOMException("The ImageBitmap is closed", "InvalidStateError");
  try {
    return host.makeBitmap(isBitmap(image) ? image : blobBytes(image), area, flip, multiply);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new DOMException(error.message, "InvalidStateError");
  }
}
Object.defineProperty(createImageBitmap, "length", { value: 1 });
