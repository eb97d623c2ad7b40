// Is the document whose path is given valid AsyncAPI? Prints what the specification's own parser finds, as JSON.
import { Parser, fromFile } from '@asyncapi/parser';

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const told = diagnostics.map((each) => ({ severity: each.severity, code: each.code, path: each.path, message: each.message }));
const channels = document ? document.channels().all().map((each) => each.address()) : null;
console.log(JSON.stringify({ channels, told }));
