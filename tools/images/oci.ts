import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** One entry of a layer. Times and owners are fixed, so that equal content gives equal digests. */
export type LayerEntry =
  | { path: string; kind: 'file'; mode: number; data: Buffer }
  | { path: string; kind: 'dir'; mode: number }
  | { path: string; kind: 'link'; target: string }

/** A blob of an image: bytes and their `sha256:` digest. */
export type Blob = { digest: string; data: Buffer }

/** What a container of the image runs, as the OCI image configuration names it. */
export type ImageConfig = {
  User?: string
  Env?: string[]
  Entrypoint?: string[]
  Cmd?: string[]
  WorkingDir?: string
  Labels?: Record<string, string>
}

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
}

/** Hashes bytes into a blob. */
export function blob(data: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(data).digest('hex')}`, data }
}

const pad = (size: number) => Buffer.alloc((512 - (size % 512)) % 512)

function tarHeader(path: string, size: number, mode: number, type: '0' | '2' | '5', target = ''): Buffer {
  const header = Buffer.alloc(512)
  const name = Buffer.from(path)
  const cut = name.length <= 100 ? 0 : path.indexOf('/', Math.max(0, path.length - 101))
  if (cut < 0 || cut > 155 || Buffer.byteLength(target) > 100)
    throw new Error(`path too long for a tar archive: ${path}`)
  header.write(cut === 0 ? path : path.slice(cut + 1), 0)
  if (cut > 0) header.write(path.slice(0, cut), 345)
  header.write(mode.toString(8).padStart(7, '0'), 100)
  header.write('0000000', 108)
  header.write('0000000', 116)
  header.write(size.toString(8).padStart(11, '0'), 124)
  header.write('00000000000', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(target, 157)
  header.write('ustar\x0000', 257, 'latin1')
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** A tar archive (ustar) of the entries in the order given. */
export function tar(entries: readonly LayerEntry[]): Buffer {
  const parts: Buffer[] = []
  for (const entry of entries) {
    const path = entry.path.replace(/^\/+/, '')
    if (entry.kind === 'dir') parts.push(tarHeader(`${path.replace(/\/$/, '')}/`, 0, entry.mode, '5'))
    else if (entry.kind === 'link') parts.push(tarHeader(path, 0, 0o777, '2', entry.target))
    else parts.push(tarHeader(path, entry.data.length, entry.mode, '0'), entry.data, pad(entry.data.length))
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

/** Everything below `dir` as entries below `at`, sorted, with the modes of the files. */
export function readTree(dir: string, at: string): LayerEntry[] {
  const found: LayerEntry[] = []
  for (const name of readdirSync(dir).sort()) {
    const file = join(dir, name)
    const path = join(at, name)
    const stat = lstatSync(file)
    if (stat.isSymbolicLink()) found.push({ path, kind: 'link', target: readlinkSync(file) })
    else if (stat.isDirectory()) found.push({ path, kind: 'dir', mode: stat.mode & 0o7777 }, ...readTree(file, path))
    else found.push({ path, kind: 'file', mode: stat.mode & 0o777, data: readFileSync(file) })
  }
  return found
}

/** An image: its blobs and the digest of its manifest, which is what `name@sha256:...` means. */
export type OciImage = { digest: string; size: number; config: Blob; manifest: Blob; layers: Blob[] }

/** Puts layers and configuration together. `architecture` is Go's name for it (amd64, arm64). */
export function image(layers: Blob[], config: ImageConfig, architecture: string): OciImage {
  const configBlob = blob(
    Buffer.from(
      JSON.stringify({
        architecture,
        os: 'linux',
        config,
        // Tars are stored as they are, so the layer's digest is also that of its content.
        rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
        history: layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
      }),
    ),
  )
  const manifest = blob(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, digest: configBlob.digest, size: configBlob.data.length },
        layers: layers.map(({ digest, data }) => ({ mediaType: mediaTypes.layer, digest, size: data.length })),
      }),
    ),
  )
  return { digest: manifest.digest, size: manifest.data.length, config: configBlob, manifest, layers }
}

/** An archive that `ctr images import`, `docker load`, `podman load` and `kind load image-archive` take. Shared layers are in it once. */
export function archive(images: readonly { ref: string; image: OciImage }[]): Buffer {
  const blobs = new Map<string, Buffer>()
  for (const { image } of images)
    for (const { digest, data } of [image.config, image.manifest, ...image.layers]) blobs.set(digest, data)
  const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: images.map(({ ref, image }) => ({
      mediaType: mediaTypes.manifest,
      digest: image.digest,
      size: image.size,
      annotations: {
        'io.containerd.image.name': ref,
        'org.opencontainers.image.ref.name': ref.split(':').at(-1) ?? '',
      },
    })),
  }
  const docker = images.map(({ ref, image }) => ({
    Config: blobPath(image.config.digest),
    RepoTags: [ref],
    Layers: image.layers.map(({ digest }) => blobPath(digest)),
  }))
  const file = (path: string, data: Buffer): LayerEntry => ({ path, kind: 'file', mode: 0o644, data })
  return tar([
    file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    file('index.json', Buffer.from(JSON.stringify(index))),
    file('manifest.json', Buffer.from(JSON.stringify(docker))),
    ...[...blobs].map(([digest, data]) => file(blobPath(digest), data)),
  ])
}
