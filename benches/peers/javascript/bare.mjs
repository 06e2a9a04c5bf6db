// The runtime, and nothing else.

process.stdout.write('{"used":true}\n');
