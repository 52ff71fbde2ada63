// The chunk `blobs`.
export { Blob, File, blobBytes } from "./blob.js";
export { FormData } from "./form_data.js";
