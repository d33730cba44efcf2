// Written by `npm run snapshots` from openapi.yaml, which is written from the schemas of the routes.
export {};
