// The npm package three 0.187, unmodified: a lit scene drawn into a texture, compared with a stored picture.
import { ok, run } from "./harness.js";

globalThis.self = globalThis;
let frame = null;
globalThis.requestAnimationFrame = (callback) => ((frame = callback), 1);
globalThis.cancelAnimationFrame = () => (frame = null);

const THREE = await import("three/webgpu");

const kSize = 128;

async function drawScene() {
  const canvas = new OffscreenCanvas(kSize, kSize);
  canvas.style = {};
  const renderer = new THREE.WebGPURenderer({ canvas, antialias: false });
  await renderer.init();
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0x203040);
  const camera = new THREE.PerspectiveCamera(45, 1, 0.1, 10);
  camera.position.set(2, 1.5, 3);
  camera.lookAt(0, 0, 0);
  scene.add(new THREE.AmbientLight(0xffffff, 0.3));
  const light = new THREE.DirectionalLight(0xffffff, 2);
  light.position.set(3, 4, 2);
  scene.add(light);
  const box = new THREE.Mesh(
    new THREE.BoxGeometry(1.2, 1.2, 1.2),
    new THREE.MeshStandardMaterial({ color: 0xff6030, roughness: 0.5 }),
  );
  scene.add(box);
  const ball = new THREE.Mesh(new THREE.SphereGeometry(0.5, 24, 16), new THREE.MeshStandardMaterial({ color: 0x40a0ff }));
  ball.position.set(0.9, 0.4, 0.9);
  scene.add(ball);
  const target = new THREE.RenderTarget(kSize, kSize);
  renderer.setRenderTarget(target);
  await renderer.renderAsync(scene, camera);
  return renderer.readRenderTargetPixelsAsync(target, 0, 0, kSize, kSize);
}

await run({
  async "a lit scene looks as it did"() {
    const drawn = await drawScene();
    ok(drawn.length >= kSize * kSize * 4);
    writeFile("three_scene.rgba", drawn);
    print([...drawn.subarray(0, 16)].join());
  },
});
