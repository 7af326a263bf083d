// Bundle scripts, styles, fonts and the icon sprite into polyclinic/static/build/ under names that carry a hash of
// their content, and write manifest.json: logical name -> file. Everything is same-origin; nothing is fetched at run time.
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(here, '..', 'polyclinic', 'static', 'build')
const ENTRIES = ['src/site.ts', 'src/calendar.ts', 'src/live.ts', 'css/components.css', 'css/calendar.css', 'css/fonts.css']

// Lucide draws outlines (icons.svg); the weights of Phosphor are further sets that a theme may choose. Names are Lucide's;
// phosphor.json says what Phosphor calls those it names differently.
const WEIGHTS = ['light', 'bold', 'duotone']
const lucide = (name) => ['lucide-static', 'icons', `${name}.svg`]
const phosphor = (weight, names) => (name) => ['@phosphor-icons', 'core', 'assets', weight, `${names[name] ?? name}-${weight}.svg`]

async function sprite(outdir, logical, pathOf) {
  const names = JSON.parse(await readFile(join(here, 'icons.json'), 'utf8'))
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(join(here, 'node_modules', ...pathOf(name)), 'utf8')
      const [, head, inner] = svg.replace(/<!--[^]*?-->/g, '').match(/<svg([^>]*)>([^]*)<\/svg>/)
      const filled = head.includes('fill="currentColor"') ? ' fill="currentColor" stroke="none"' : ''
      return `<symbol id="${name}" viewBox="${head.match(/viewBox="([^"]+)"/)[1]}"${filled}>${inner.replace(/\s+/g, ' ').trim()}</symbol>`
    }),
  )
  const text = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>\n`
  const file = `${logical.replace('.svg', '')}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.svg`
  await writeFile(join(outdir, file), text)
  return [logical, file]
}

async function sprites(outdir) {
  const names = JSON.parse(await readFile(join(here, 'phosphor.json'), 'utf8'))
  const sets = WEIGHTS.map((weight) => sprite(outdir, `icons-${weight}.svg`, phosphor(weight, names)))
  return Object.fromEntries(await Promise.all([sprite(outdir, 'icons.svg', lucide), ...sets]))
}

function logicalNames(metafile, outdir) {
  const names = {}
  for (const [output, about] of Object.entries(metafile.outputs)) {
    if (!about.entryPoint) continue
    const extension = output.endsWith('.css') ? '.css' : '.js'
    names[basename(about.entryPoint).replace(/\.(ts|css)$/, '') + extension] = relative(outdir, join(here, output))
  }
  return names
}

async function build() {
  const outdir = `${target}.next`
  await rm(outdir, { recursive: true, force: true })
  await mkdir(outdir, { recursive: true })
  const result = await esbuild.build({
    absWorkingDir: here,
    entryPoints: ENTRIES,
    outdir,
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    target: ['es2022', 'chrome120', 'firefox121', 'safari17.2'],
    loader: { '.woff2': 'file' },
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    assetNames: '[name]-[hash]',
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  })
  const manifest = { ...logicalNames(result.metafile, outdir), ...(await sprites(outdir)) }
  await writeFile(join(outdir, 'manifest.json'), JSON.stringify(manifest, null, 2) + '\n')
  await rm(target, { recursive: true, force: true })
  await rename(outdir, target)
  const files = await readdir(target)
  console.log(`front end: ${files.length} files, ${Object.keys(manifest).length} entries`)
}

await build()
if (process.argv.includes('--watch')) {
  const { watch } = await import('node:fs')
  let waiting
  for (const folder of ['src', 'css']) {
    watch(join(here, folder), () => {
      clearTimeout(waiting)
      waiting = setTimeout(() => build().catch((error) => console.error(String(error))), 80)
    })
  }
}
