import { call, postForm } from "./http";

interface Entry {
  name: string;
  filename: string | null;
  is_dir: "t" | "f";
}

/** `a b/ü` as an address: each part of the path encoded. */
export const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

/** Put files into a folder of the caller's storage; the server unpacks archives in place. */
export function upload(folder: string, files: File[], onProgress: (part: number) => void): Promise<void> {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  return postForm(`/1/storage/fs/${encodePath(folder)}/`, form, onProgress);
}

/** Every file in a folder and below it, as paths that begin with the folder. */
export async function listFiles(folder: string): Promise<string[]> {
  const { data } = await call<{ data: Entry[] }>("GET", `/1/storage/fs/${encodePath(folder)}/info.json`);
  const found: string[] = [];
  for (const entry of data) {
    const path = `${folder}/${entry.filename || entry.name}`;
    if (entry.is_dir === "t") found.push(...(await listFiles(path)));
    else found.push(path);
  }
  return found;
}

export const removeFolder = (folder: string): Promise<unknown> => call("DELETE", `/1/storage/fs/${encodePath(folder)}`);
