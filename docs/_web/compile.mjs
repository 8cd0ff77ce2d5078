// Compile Python sources by the Python that will run them: node compile.mjs SOURCES.zip COMPILED.zip
// A browser then neither compiles nor unpacks them when the page opens.
import { readFileSync, writeFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const [sources, compiled] = process.argv.slice(2);
const pyodide = await loadPyodide();
pyodide.FS.writeFile("/sources.zip", readFileSync(sources));
pyodide.runPython(`
import compileall, os, shutil, zipfile
from py_compile import PycInvalidationMode

shutil.unpack_archive("/sources.zip", "/sources")
done = compileall.compile_dir(
    "/sources", quiet=1, legacy=True, optimize=0, stripdir="/sources",
    invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
)
if not done:
    raise SystemExit("a file cannot be compiled")
with zipfile.ZipFile("/compiled.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for folder, folders, files in os.walk("/sources"):
        folders.sort()
        for file in sorted(files):
            if file.endswith(".pyc"):
                path = os.path.join(folder, file)
                entry = zipfile.ZipInfo(os.path.relpath(path, "/sources"), (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                with open(path, "rb") as opened:
                    archive.writestr(entry, opened.read())
`);
writeFileSync(compiled, pyodide.FS.readFile("/compiled.zip"));
