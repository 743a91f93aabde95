// Judges Postman collections by Postman's own JSON schema of v2.1, which the package brings.
// The files are the arguments; NODE_HOME is a folder whose node_modules has the package.
// Prints one line per file, PASS or FAIL with the faults; the exit code is 0 or 1.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(path.join(process.env.NODE_HOME, 'package.json'));
const { PostmanValidator } = require('@har-sdk/validator');

const validator = new PostmanValidator();
for (const file of process.argv.slice(2)) {
  const faults = await validator.verify(JSON.parse(fs.readFileSync(file, 'utf8')));
  console.log(faults.length === 0 ? `PASS ${file}` : `FAIL ${file} ${JSON.stringify(faults)}`);
  if (faults.length > 0) process.exitCode = 1;
}
