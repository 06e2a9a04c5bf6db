// Nothing here may ask a service that is not the one of the benches, on this machine.

const places = ["AZURE_AUTHORITY_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST"];

for (const name of places) {
  let host = "nothing";
  try {
    host = new URL(process.env[name]).hostname;
  } catch {
    // Told below.
  }
  if (host !== "127.0.0.1") {
    console.error(`${name} must lead to 127.0.0.1, and leads to ${host}: start this by benches/peers/run`);
    process.exit(2);
  }
}
