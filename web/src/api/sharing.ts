import { call } from "./http";

interface Grants {
  data: { username?: string; permissions: { type: string; share_id: string }[] }[];
}

const permissions = (resource: string): string => `/1/resources/${resource}/permissions`;

/** Let everyone read a resource, or no longer. */
export async function setPublic(resource: string, open: boolean): Promise<void> {
  if (open) {
    await call("POST", `${permissions(resource)}.json`, { username: "anonymous", permission: "READ" });
    return;
  }
  const grants = await call<Grants>("GET", `${permissions(resource)}.json`);
  for (const grant of grants.data) {
    if (grant.username !== "anonymous") continue;
    for (const { share_id } of grant.permissions) await call("DELETE", `${permissions(resource)}/${share_id}.json`);
  }
}
