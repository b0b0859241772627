/** The picture with its outline and its region. */

import { get } from "./elements";
import type { Answer } from "./protocol";

/** Draw a frame. `width` and `height` are those of the frame. */
export function draw(answer: Answer, width: number, height: number): void {
  const canvas = get("picture", HTMLCanvasElement);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    get("stage", SVGSVGElement).setAttribute("viewBox", `0 0 ${width} ${height}`);
  }
  canvas.getContext("2d")!.putImageData(colours(answer.picture, width, height), 0, 0);
  get("outline", SVGPolygonElement).setAttribute("points", answer.outline.join(" "));
  const region = get("region", SVGRectElement);
  ["x", "y", "width", "height"].forEach((name, index) => region.setAttribute(name, String(answer.result.roi[index])));
}

/** Remove outline and region. */
export function clear(): void {
  get("outline", SVGPolygonElement).removeAttribute("points");
  for (const name of ["x", "y", "width", "height"]) get("region", SVGRectElement).removeAttribute(name);
}

function colours(grey: Uint8Array, width: number, height: number): ImageData {
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let at = 0; at < grey.length; at++) words[at] = 0xff000000 | (grey[at]! * 0x010101);
  return image;
}
