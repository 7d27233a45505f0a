/** Values and labels as the text of the incident filter holds them. */

/** A label as the filter writes it. */
export function labelFilter(name: string, value: string): string {
  return `label.${name}=${quote(value)}`;
}

/** A value as the filter writes it. */
export function quote(value: string): string {
  return /[\s,]/.test(value) ? `"${value}"` : value;
}
